"""The lives of suspended records: seen, seen again, recycled, or written off by a person."""

import datetime as dt

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.books.audit import log_decision
from billing_pipeline.books.copy import copy_out, staged
from billing_pipeline.books.decisions_schema import SUSPENSE_STATES
from billing_pipeline.books.tables import suspense_states as states

_KEY = [column.name for column in states.primary_key]


class NotInSuspense(Exception):
    """Records to be written off are not, or no longer, in suspense."""


def keep_suspense(
    connection: sa.Connection,
    tenant_key: str,
    stage: str,
    partition_day: dt.date,
    suspended: pl.DataFrame,
    *,
    seen_at: dt.datetime,
) -> None:
    """Keep what one run of a stage suspended in one partition: a SUSPENSE frame.

    Open records of the partition that the run no longer has were recycled. A record written off
    stays so.
    """
    instant = pl.lit(seen_at).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    rows = suspended.select(
        pl.lit(tenant_key).alias("tenant_key"),
        pl.lit(stage).alias("stage"),
        "file_key",
        "record_number",
        pl.lit(partition_day, pl.Date).alias("partition_day"),
        "reason",
        instant.alias("first_seen_at"),
        instant.alias("last_seen_at"),
    ).unique(["file_key", "record_number"], keep="first", maintain_order=True)
    with staged(connection, rows) as new:
        seen = sa.exists().where(
            new.c.file_key == states.c.file_key, new.c.record_number == states.c.record_number
        )
        connection.execute(
            sa.update(states)
            .where(
                states.c.tenant_key == tenant_key,
                states.c.stage == stage,
                states.c.partition_day == partition_day,
                states.c.state == "open",
                ~seen,
            )
            .values(state="recycled")
        )
        insert = postgresql.insert(states).from_select(rows.columns, sa.select(new))
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=_KEY,
                set_={
                    "reason": insert.excluded.reason,
                    "partition_day": insert.excluded.partition_day,
                    "last_seen_at": insert.excluded.last_seen_at,
                    "attempts": states.c.attempts + 1,
                    "state": sa.case((states.c.state == "recycled", "open"), else_=states.c.state),
                },
            )
        )


def write_off(
    connection: sa.Connection,
    tenant_key: str,
    records: pl.DataFrame,
    *,
    written_off_by: str,
    note: str,
) -> None:
    """Give records up for good; columns stage, file_key, record_number. Who and why is logged.

    Raises: NotInSuspense if not all of them are open; none is written off then.
    """
    wanted = records.select("stage", "file_key", "record_number").unique(maintain_order=True)
    with staged(connection, wanted) as rows:
        done = connection.execute(
            sa.update(states)
            .where(
                states.c.tenant_key == tenant_key,
                states.c.state == "open",
                *(states.c[name] == rows.c[name] for name in wanted.columns),
            )
            .values(state="written_off", decided_by=written_off_by, decision_note=note)
        )
    if done.rowcount != wanted.height:
        raise NotInSuspense(
            f"{wanted.height} record(s) of {tenant_key} were to be written off, "
            f"{done.rowcount} of them are in suspense"
        )
    log_decision(
        connection,
        tenant_key,
        actor=written_off_by,
        action="written_off",
        subject=f"{wanted.height} suspended record(s)",
        note=note,
    )


def read_suspense_states(connection: sa.Connection, *only: str) -> pl.DataFrame:
    """All visible SUSPENSE_STATES, or those in the given states."""
    select = sa.select(*(states.c[name] for name in SUSPENSE_STATES.names))
    if only:
        select = select.where(states.c.state.in_(only))
    return copy_out(connection, select, SUSPENSE_STATES).sort(_KEY)
