"""Work that should have happened by itself and has not."""

import datetime as dt

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_out
from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, required

OVERDUE_WORK = FrameSchema(
    name="overdue_work",
    grain="one row per piece of work that waits",
    columns={
        "tenant_key": required(pl.String, "whose work"),
        "kind": required(pl.String, "bill_day, usage_day, rating_day, waiting_file ..."),
        "subject": required(pl.String, "the day or file"),
        "since": required(UTC_INSTANT, "when it became due"),
        "advice": required(pl.String, "what is known, or what to do"),
    },
)

_VIEW = sa.table("overdue_work", *(sa.column(name) for name in OVERDUE_WORK.names))


def overdue_work(connection: sa.Connection, due_before: dt.datetime) -> pl.DataFrame:
    """OVERDUE_WORK of all visible tenants that waits since before an instant, oldest first."""
    select = sa.select(*(_VIEW.c[name] for name in OVERDUE_WORK.names)).where(
        _VIEW.c.since < due_before
    )
    return copy_out(connection, select, OVERDUE_WORK).sort("since", "tenant_key", "kind", "subject")
