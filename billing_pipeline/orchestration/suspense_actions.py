"""What people do about suspense: compute its days again, or give records up for good."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.books import audit, staleness, suspense
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.stale import compute_stale_days
from billing_pipeline.orchestration.suspense import Choice, read_lives


class NothingChosen(Exception):
    """No record is in suspense that fits what was said."""


@dataclass(frozen=True)
class Decision:
    """Who decides, when and why."""

    by: str
    at: dt.datetime
    note: str


@dataclass(frozen=True)
class Recycled:
    """How many of the chosen records were in suspense before and after."""

    before: int
    after: int


def recycle(installation: Installation, choice: Choice, decision: Decision) -> Recycled:
    """Mediate and rate the days of the chosen records again with what is known now.

    Records that could not be decoded wait for a corrected feed and `billing files reload`.
    """
    waiting = read_lives(installation, choice)
    again = waiting.filter(pl.col("stage") != "decode")
    with installation_scope(installation.engine) as connection:
        for tenant_key, own in _by_tenant(again):
            days = own["partition_day"].unique().sort().to_list()
            staleness.touch_known_usage_days(connection, tenant_key, days)
            audit.log_decision(
                connection,
                tenant_key,
                actor=decision.by,
                action="recycled",
                subject=f"{own.height} suspended record(s): {choice}",
                note=decision.note,
            )
    compute_stale_days(installation, decision.at)
    return Recycled(waiting.height, read_lives(installation, choice).height)


def write_off(installation: Installation, choice: Choice, decision: Decision) -> pl.DataFrame:
    """Give the chosen records up for good and compute their days again; what was given up.

    Raises: NothingChosen.
    """
    waiting = read_lives(installation, choice)
    if waiting.is_empty():
        raise NothingChosen(f"no record is in suspense that fits: {choice}")
    with installation_scope(installation.engine) as connection:
        for tenant_key, own in _by_tenant(waiting):
            suspense.write_off(
                connection,
                tenant_key,
                own,
                written_off_by=decision.by,
                written_off_at=decision.at,
                note=decision.note,
            )
    compute_stale_days(installation, decision.at)
    return waiting


def worth(lives: pl.DataFrame) -> dict[str, Decimal]:
    """Estimated value by currency."""
    known = lives.drop_nulls("estimated_value").group_by("currency")
    return dict(known.agg(pl.col("estimated_value").sum()).sort("currency").rows())


def _by_tenant(lives: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    parts = lives.partition_by("tenant_key", as_dict=True)
    return sorted((str(key), own) for (key,), own in parts.items())
