"""The months a story closes, and when: rows of `closings.csv` (day, tenant_key, period)."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.close_month import close_month
from billing_pipeline.orchestration.steps.facts import read_facts


def read_closings(directory: Path) -> dict[dt.date, list[tuple[str, dt.date]]]:
    """Tenants and first days of the months to close, by the day they are closed on."""
    listed = directory / "closings.csv"
    closings: dict[dt.date, list[tuple[str, dt.date]]] = {}
    if listed.exists():
        rows = pl.read_csv(listed, infer_schema=False).select("day", "tenant_key", "period").rows()
        for day, tenant_key, period in rows:
            month = dt.date.fromisoformat(f"{period}-01")
            closings.setdefault(dt.date.fromisoformat(day), []).append((tenant_key, month))
    return closings


def close_months(installation: Installation, closings: Iterable[tuple[str, dt.date]]) -> None:
    """Close months as a person would."""
    for tenant_key, month in closings:
        facts = read_facts(installation, tenant_key)
        close_month(installation, facts, month, closed_by="simulation")
