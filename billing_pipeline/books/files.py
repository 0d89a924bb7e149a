"""The register of usage files: what was seen, what waits, what people decided about it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.books.audit import log_decision
from billing_pipeline.books.copy import copy_out, staged
from billing_pipeline.books.scope import UnknownTenant
from billing_pipeline.books.tables import tenants, usage_file_days, usage_files
from billing_pipeline.books.usage_schema import (
    FILE_BALANCES,
    FILE_DAYS,
    LANDED_DAYS,
    UNLOADED_FILES,
    USAGE_FILES,
)

UPLOADS = ["tenant_key", "feed_key", "url", "name", "size_bytes", "etag", "landed_at"]
TO_LOAD = ("landed", "archived")
"""States of files still to be loaded."""

GONE = ("duplicate", "discarded")
"""States of files whose content does not count."""

_REFUSED = ("empty", "quarantined")


class FileNotInState(Exception):
    """A usage file is unknown, or not in a state in which this can be done."""


@dataclass(frozen=True)
class UsageFile:
    """One registered usage file."""

    file_id: int
    tenant_key: str
    feed_key: str
    name: str
    url: str
    state: str
    landing_day: dt.date
    file_key: str | None
    archive_path: str | None


def unregistered_uploads(connection: sa.Connection, uploads: pl.DataFrame) -> pl.DataFrame:
    """Those of the uploads (columns UPLOADS) that were never registered, in their order."""
    if uploads.is_empty():
        return uploads
    key = ["tenant_key", "feed_key", "url", "etag"]
    types = {name: uploads.schema[name] for name in key}
    with staged(connection, uploads.select(key)) as rows:
        known = sa.select(*(rows.c[name] for name in key)).where(
            sa.exists().where(*(usage_files.c[name] == rows.c[name] for name in key))
        )
        seen = copy_out(connection, known, pl.Schema(types))
    return uploads.join(seen, on=key, how="anti", maintain_order="left")


def register_uploads(connection: sa.Connection, uploads: pl.DataFrame, landing_day: dt.date) -> int:
    """Register uploads not seen before; return how many are new.

    Shape of `uploads`: one row per file, columns UPLOADS. An upload is known again by its feed,
    URL and etag, so listing the landing zone twice registers nothing twice.
    Raises: UnknownTenant if an upload lies in the folder of no tenant; nothing is registered.
    """
    if uploads.is_empty():
        return 0
    _refuse_unknown_tenants(connection, uploads)
    new = uploads.select(*UPLOADS, pl.lit(landing_day).alias("landing_day"))
    with staged(connection, new.sort("tenant_key", "feed_key", "landed_at", "url")) as rows:
        insert = postgresql.insert(usage_files).from_select(
            [*UPLOADS, "landing_day"], sa.select(rows)
        )
        registered = connection.execute(
            insert.on_conflict_do_nothing(constraint="usage_files_registered_once")
        )
    return registered.rowcount


def unloaded_files(
    connection: sa.Connection, landing_day: dt.date | None, limit: int
) -> pl.DataFrame:
    """The next UNLOADED_FILES in the order they were registered, of one landing day or all."""
    select = (
        sa.select(*(usage_files.c[name] for name in UNLOADED_FILES.names))
        .where(usage_files.c.state.in_(TO_LOAD))
        .order_by(usage_files.c.file_id)
        .limit(limit)
    )
    if landing_day is not None:
        select = select.where(usage_files.c.landing_day == landing_day)
    return copy_out(connection, select, UNLOADED_FILES)


def unloaded_landing_days(connection: sa.Connection) -> list[dt.date]:
    """Landing days with files still to be loaded, in order."""
    days = sa.select(usage_files.c.landing_day).where(usage_files.c.state.in_(TO_LOAD))
    return sorted(connection.execute(days.distinct()).scalars())


def release_file(connection: sa.Connection, file_id: int, *, released_by: str, note: str) -> None:
    """Let a refused file be loaded again; who decided and why is kept."""
    _decide(connection, file_id, "landed", "released", released_by, note)


def discard_file(connection: sa.Connection, file_id: int, *, discarded_by: str, note: str) -> None:
    """Give a refused file up; who decided and why is kept."""
    _decide(connection, file_id, "discarded", "discarded", discarded_by, note)


def reload_files(
    connection: sa.Connection,
    tenant_key: str,
    landing_day: dt.date,
    *,
    reloaded_by: str,
    note: str,
) -> int:
    """Note that the loaded files of an owner's landing day are loaded again; return how many.

    The caller loads them in the same transaction, so that nobody sees the day without them.
    """
    marked = connection.execute(
        sa.update(usage_files)
        .where(
            usage_files.c.tenant_key == tenant_key,
            usage_files.c.landing_day == landing_day,
            usage_files.c.state.in_(("loaded", "superseded")),
        )
        .values(
            state="archived",
            decided_by=reloaded_by,
            decision_note=note,
            changed_at=sa.func.clock_timestamp(),
        )
    )
    log_decision(
        connection,
        tenant_key,
        actor=reloaded_by,
        action="reloaded",
        subject=f"{marked.rowcount} file(s) of {landing_day}",
        note=note,
    )
    return marked.rowcount


def landed_days_of_usage(
    connection: sa.Connection, owner_tenant_key: str, from_day: dt.date, until_day: dt.date
) -> pl.DataFrame:
    """The LANDED_DAYS of usage days [from_day, until_day): between which raw usage has them."""
    usage_day, landing_day = usage_file_days.c.usage_day, usage_files.c.landing_day
    select = (
        sa.select(
            usage_day,
            sa.func.min(landing_day).label("first_landed"),
            sa.func.max(landing_day).label("last_landed"),
        )
        .join(usage_files, usage_file_days.c.file_id == usage_files.c.file_id)
        .where(
            usage_file_days.c.tenant_key == owner_tenant_key,
            usage_day >= from_day,
            usage_day < until_day,
            usage_files.c.state.not_in(GONE),
        )
        .group_by(usage_day)
    )
    return copy_out(connection, select, LANDED_DAYS).sort("usage_day")


def replaced_files(connection: sa.Connection, owner_tenant_key: str) -> pl.DataFrame:
    """Contents that later deliveries replaced: columns feed_key, file_key."""
    select = (
        sa.select(usage_files.c.feed_key, usage_files.c.file_key)
        .where(usage_files.c.tenant_key == owner_tenant_key, usage_files.c.state == "superseded")
        .distinct()
    )
    return copy_out(connection, select, pl.Schema({"feed_key": pl.String, "file_key": pl.String}))


def file_days(connection: sa.Connection, file_id: int) -> pl.DataFrame:
    """FILE_DAYS of one file."""
    select = sa.select(*(usage_file_days.c[name] for name in FILE_DAYS.names)).where(
        usage_file_days.c.file_id == file_id
    )
    return copy_out(connection, select, FILE_DAYS).sort("usage_day")


def file_by_key(connection: sa.Connection, file_key: str) -> UsageFile | None:
    """The file with this content; the one that was loaded if it came more than once."""
    select = (
        _select_file()
        .where(usage_files.c.file_key == file_key)
        .order_by(usage_files.c.state.in_(GONE), usage_files.c.file_id)
    )
    row = connection.execute(select).first()
    return None if row is None else UsageFile(*row)


def read_files(connection: sa.Connection, *states: str) -> pl.DataFrame:
    """All visible USAGE_FILES, or those in the given states, in the order they were registered."""
    select = sa.select(*(usage_files.c[name] for name in USAGE_FILES.names))
    if states:
        select = select.where(usage_files.c.state.in_(states))
    return copy_out(connection, select, USAGE_FILES).sort("file_id")


def file_balances(connection: sa.Connection, first_day: dt.date, last_day: dt.date) -> pl.DataFrame:
    """FILE_BALANCES of the loaded files of landing days, both ends included."""
    select = sa.select(*(usage_files.c[name] for name in FILE_BALANCES.names)).where(
        usage_files.c.landing_day.between(first_day, last_day),
        usage_files.c.state.in_(("loaded", "superseded")),
    )
    return copy_out(connection, select, FILE_BALANCES).sort("file_id")


def _select_file() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(*(usage_files.c[name] for name in UsageFile.__dataclass_fields__))


def _file(connection: sa.Connection, file_id: int, *states: str) -> UsageFile:
    select = _select_file().where(usage_files.c.file_id == file_id).with_for_update()
    row = connection.execute(select).first()
    if row is None:
        raise FileNotInState(f"no usage file {file_id} is registered here")
    file = UsageFile(*row)
    if file.state not in states:
        raise FileNotInState(
            f"usage file {file_id} ({file.name}) is {file.state}, not {' or '.join(states)}"
        )
    return file


def _decide(
    connection: sa.Connection, file_id: int, state: str, action: str, actor: str, note: str
) -> None:
    file = _file(connection, file_id, *_REFUSED)
    _change(connection, file_id, state=state, decided_by=actor, decision_note=note)
    log_decision(
        connection,
        file.tenant_key,
        actor=actor,
        action=action,
        subject=f"usage file {file.name}",
        note=note,
    )


def _change(connection: sa.Connection, file_id: int, **values: object) -> None:
    connection.execute(
        sa.update(usage_files)
        .where(usage_files.c.file_id == file_id)
        .values(changed_at=sa.func.clock_timestamp(), **values)
    )


def _refuse_unknown_tenants(connection: sa.Connection, uploads: pl.DataFrame) -> None:
    known = set(connection.execute(sa.select(tenants.c.tenant_key)).scalars())
    unknown = sorted(set(uploads.get_column("tenant_key")) - known)
    if unknown:
        raise UnknownTenant(
            f"uploads lie in folders of no tenant: {', '.join(unknown)}; "
            "apply the tenant or move the files"
        )
