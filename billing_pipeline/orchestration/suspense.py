"""The suspense workbench: what waits and why, and computing its days again."""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from billing_pipeline.books import catalog, due, manifest
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.lake import layout
from billing_pipeline.mediation.schema import SUSPENSE
from billing_pipeline.orchestration.days import EVER
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.mediate import mediate_owner_day
from billing_pipeline.orchestration.steps.stale import compute_stale_days

_FRAMES = (layout.DECODE_SUSPENSE, layout.MEDIATE_SUSPENSE, layout.RATE_SUSPENSE)


def read_suspense(installation: Installation, tenant_key: str | None) -> pl.DataFrame:
    """All records in suspense, of every stage; of one owner or of all."""
    paths: list[str] = []
    with installation_scope(installation.engine) as connection:
        tenants = [tenant_key] if tenant_key else catalog.tenant_keys(connection)
        for frame in _FRAMES:
            for key in tenants:
                current = manifest.partition_paths(connection, frame, key, *EVER)
                paths += current["path"].to_list()
    return (
        installation.lake.scan(paths, SUSPENSE)
        .sort("stage", "reason", "file_key", "record_number")
        .collect()
    )


def suspense_by_reason(suspense: pl.DataFrame) -> pl.DataFrame:
    """One row per feed, stage and reason: records, earliest event and an example."""
    return (
        suspense.group_by("feed_key", "stage", "reason")
        .agg(
            pl.len().alias("records"),
            pl.col("started_at").min().dt.date().alias("first_day"),
            pl.coalesce("detail", "service_identifier", "raw").first().alias("example"),
        )
        .sort("records", "feed_key", "reason", descending=[True, False, False])
    )


@dataclass(frozen=True)
class Recycled:
    """How many records were in suspense before and after."""

    before: int
    after: int


def recycle(installation: Installation, reason: str | None, now: dt.datetime) -> Recycled:
    """Mediate and rate the days of suspended records again with what is known now.

    Records that could not be decoded wait for a corrected feed and a reload of their file.
    """
    waiting = _with_reason(read_suspense(installation, None), reason)
    days = sorted(set(waiting.filter(pl.col("stage") != "decode")["started_at"].dt.date()))
    for day in days:
        with installation_scope(installation.engine) as connection:
            owners = due.owners_of_usage_day(connection, day)
        for owner in owners:
            mediate_owner_day(installation, owner, day, now=now)
    compute_stale_days(installation, now)
    still = _with_reason(read_suspense(installation, None), reason)
    return Recycled(waiting.height, still.height)


def _with_reason(suspense: pl.DataFrame, reason: str | None) -> pl.DataFrame:
    return suspense.filter(pl.col("reason") == reason) if reason else suspense
