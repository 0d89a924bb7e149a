"""Keep the lives of suspended records beside what a stage made current, in its transaction."""

import datetime as dt

import polars as pl

from billing_pipeline.books import suspense
from billing_pipeline.books.scope import Connection

_RECORD = ["file_key", "record_number"]


def keep_partition_lives(
    connection: Connection,
    tenant_key: str,
    stage: str,
    day: dt.date,
    *,
    suspended: pl.DataFrame,
    went_on: pl.LazyFrame,
    seen_at: dt.datetime,
) -> None:
    """After a stage replaced a day: who still waits, who went on, who is gone without it."""
    waited = suspense.open_records(connection, tenant_key, stage, partition_day=day)
    end_lives(
        connection, tenant_key, stage, waited, suspended=suspended, went_on=went_on, at=seen_at
    )
    suspense.keep_suspense(connection, tenant_key, stage, day, suspended, seen_at=seen_at)


def end_lives(
    connection: Connection,
    tenant_key: str,
    stage: str,
    waited: pl.DataFrame,
    *,
    suspended: pl.DataFrame,
    went_on: pl.LazyFrame,
    at: dt.datetime,
) -> None:
    """Close records that waited and are suspended no more; `went_on` is read only if any are."""
    gone = waited.join(suspended.select(_RECORD), on=_RECORD, how="anti")
    if gone.is_empty():
        return
    recycled = gone.lazy().join(went_on.select(_RECORD), on=_RECORD, how="semi").collect()
    resolved = gone.join(recycled, on=_RECORD, how="anti")
    suspense.close_records(connection, tenant_key, stage, recycled, state="recycled", closed_at=at)
    suspense.close_records(connection, tenant_key, stage, resolved, state="resolved", closed_at=at)
