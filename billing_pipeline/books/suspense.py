"""The lives of suspended records: seen, seen again, recycled, or written off by a person."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.books.audit import log_decision
from billing_pipeline.books.copy import copy_out, staged
from billing_pipeline.books.decisions_schema import SUSPENSE_STATES
from billing_pipeline.books.staleness import touch_known_usage_days
from billing_pipeline.books.tables import suspense_states as states

RECORDS = pl.Schema({"feed_key": pl.String, "file_key": pl.String, "record_number": pl.Int64})
"""What names a record in one stage of one tenant."""

_KEY = [column.name for column in states.primary_key]
_ENDED = ("recycled", "resolved")
_LATEST = (
    "reason",
    "partition_day",
    "last_seen_at",
    "service_identifier",
    "started_at",
    "quantity",
)


class NotInSuspense(Exception):
    """Records to be written off are not, or no longer, in suspense."""


def open_records(
    connection: sa.Connection,
    tenant_key: str,
    stage: str,
    *,
    partition_day: dt.date | None = None,
    file_keys: Sequence[str] = (),
) -> pl.DataFrame:
    """RECORDS of a stage that wait in a tenant's suspense, of one partition or of some files."""
    select = sa.select(*(states.c[name] for name in RECORDS)).where(
        states.c.tenant_key == tenant_key, states.c.stage == stage, states.c.state == "open"
    )
    if partition_day is None:
        select = select.where(states.c.file_key.in_(file_keys))
    else:
        select = select.where(states.c.partition_day == partition_day)
    return copy_out(connection, select, RECORDS)


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

    A record seen before keeps its age, one that had gone on waits again, and one written off
    stays so.
    """
    if suspended.is_empty():
        return
    instant = pl.lit(seen_at).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    rows = (
        suspended.select(
            pl.lit(tenant_key).alias("tenant_key"),
            pl.lit(stage).alias("stage"),
            *RECORDS,
            pl.lit(partition_day, pl.Date).alias("partition_day"),
            "reason",
            instant.alias("first_seen_at"),
            instant.alias("last_seen_at"),
            "service_identifier",
            "started_at",
            "quantity",
        )
        .unique(list(RECORDS), keep="first", maintain_order=True)
        .sort(*RECORDS)
    )
    with staged(connection, rows) as new:
        insert = postgresql.insert(states).from_select(rows.columns, sa.select(new))
        is_over = states.c.state.in_(_ENDED)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=_KEY,
                set_={name: insert.excluded[name] for name in _LATEST}
                | {
                    "attempts": states.c.attempts + 1,
                    "state": sa.case((is_over, "open"), else_=states.c.state),
                    "closed_at": sa.case((is_over, None), else_=states.c.closed_at),
                },
            )
        )


def close_records(
    connection: sa.Connection,
    tenant_key: str,
    stage: str,
    records: pl.DataFrame,
    *,
    state: Literal["recycled", "resolved"],
    closed_at: dt.datetime,
) -> None:
    """Note that open RECORDS have left suspense: gone on, or gone for good."""
    if records.is_empty():
        return
    with staged(connection, records.select(*RECORDS)) as gone:
        connection.execute(
            sa.update(states)
            .where(
                states.c.tenant_key == tenant_key,
                states.c.stage == stage,
                states.c.state == "open",
                *(states.c[name] == gone.c[name] for name in RECORDS),
            )
            .values(state=state, closed_at=closed_at)
        )


def write_off(
    connection: sa.Connection,
    tenant_key: str,
    records: pl.DataFrame,
    *,
    written_off_by: str,
    written_off_at: dt.datetime,
    note: str,
) -> None:
    """Give a tenant's records up for good; columns stage and RECORDS. Who and why is logged.

    Their usage days become stale: mediation sets the records aside for ever, and counts them.
    Raises: NotInSuspense if not all of them are open; none is written off then.
    """
    key = ["stage", *RECORDS]
    wanted = records.select(key).unique(maintain_order=True)
    with staged(connection, wanted) as rows:
        done = connection.execute(
            sa.update(states)
            .where(
                states.c.tenant_key == tenant_key,
                states.c.state == "open",
                *(states.c[name] == rows.c[name] for name in key),
            )
            .values(
                state="written_off",
                decided_by=written_off_by,
                decision_note=note,
                closed_at=written_off_at,
            )
            .returning(states.c.stage, states.c.partition_day, states.c.started_at)
        ).all()
    if len(done) != wanted.height:
        raise NotInSuspense(
            f"{wanted.height} record(s) of {tenant_key} were to be written off, "
            f"{len(done)} of them are in suspense"
        )
    touch_known_usage_days(connection, tenant_key, sorted(set(_usage_days(done))))
    log_decision(
        connection,
        tenant_key,
        actor=written_off_by,
        action="written_off",
        subject=f"{wanted.height} suspended record(s)",
        note=note,
    )


def _usage_days(
    records: Iterable[Sequence[Any]],
) -> Iterator[dt.date]:
    """Days to mediate again; decoding keeps suspense by landing day."""
    for stage, partition_day, started_at in records:
        if stage != "decode":
            yield partition_day
        elif started_at is not None:
            yield started_at.date()


def written_off_records(
    connection: sa.Connection, owner_tenant_key: str, file_keys: Sequence[str]
) -> pl.DataFrame:
    """RECORDS of files that the owner of their feed, or a tenant below it, has written off."""
    subtree = sa.select(sa.func.tenant_subtree(owner_tenant_key).column_valued("tenant_key"))
    select = (
        sa.select(*(states.c[name] for name in RECORDS))
        .where(
            states.c.tenant_key.in_(subtree),
            states.c.state == "written_off",
            states.c.file_key.in_(file_keys),
        )
        .distinct()
    )
    return copy_out(connection, select, RECORDS)


def read_suspense_states(
    connection: sa.Connection, *only: str, tenant_key: str | None = None
) -> pl.DataFrame:
    """SUSPENSE_STATES of a tenant or of all visible ones, or those in the given states."""
    select = sa.select(*(states.c[name] for name in SUSPENSE_STATES.names))
    if only:
        select = select.where(states.c.state.in_(only))
    if tenant_key is not None:
        select = select.where(states.c.tenant_key == tenant_key)
    return copy_out(connection, select, SUSPENSE_STATES).sort(_KEY)


def lives_of_records(connection: sa.Connection, file_keys: Sequence[str]) -> pl.DataFrame:
    """SUSPENSE_STATES of the records of some files, whatever their state."""
    select = sa.select(*(states.c[name] for name in SUSPENSE_STATES.names)).where(
        states.c.file_key.in_(file_keys)
    )
    return copy_out(connection, select, SUSPENSE_STATES).sort(_KEY)


def suspense_version(connection: sa.Connection) -> str:
    """A text that changes when any record enters or leaves suspense."""
    latest = sa.select(
        sa.func.count(), sa.func.max(states.c.first_seen_at), sa.func.max(states.c.closed_at)
    )
    return ":".join(str(part) for part in connection.execute(latest).one())
