"""What was handed to accounting systems: batches of entries without gap or overlap."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_out
from billing_pipeline.books.handoff_schema import HANDOFF_BATCHES, HANDOFF_RECEIPTS
from billing_pipeline.books.handoff_tables import handoff_batches, handoff_receipts
from billing_pipeline.books.tables import journal_series

_BATCH = handoff_batches.c


class BatchExported(Exception):
    """A batch was exported before; its file is not replaced."""


class NoSuchBatch(Exception):
    """No batch of this number was exported."""


@dataclass(frozen=True)
class ClaimedBatch:
    """A range of journal entries claimed for one format of one tenant."""

    tenant_key: str
    format_name: str
    batch_number: int
    first_entry: int
    last_entry: int
    bill_day: dt.date
    opened_at: dt.datetime


def first_unclaimed_entry(connection: sa.Connection, tenant_key: str, format_name: str) -> int:
    """Number of the first journal entry that no batch of the format holds, booked or not."""
    last = sa.select(sa.func.max(_BATCH.last_entry)).where(
        _BATCH.tenant_key == tenant_key,
        _BATCH.format_name == format_name,
        _BATCH.exported_at.is_not(None),
    )
    return (connection.execute(last).scalar_one() or 0) + 1


def open_batch(
    connection: sa.Connection,
    tenant_key: str,
    format_name: str,
    bill_day: dt.date,
    *,
    opened_at: dt.datetime,
    up_to_entry: int | None = None,
) -> ClaimedBatch | None:
    """Claim all entries not yet claimed for the format; None if there are none.

    `opened_at` is kept: a format writes it into the file, and rendering the batch again needs it.

    `up_to_entry` ends the batch earlier, where one file of the format takes no more.

    A batch that was claimed but never exported is returned again, the same as before: a run
    that died between claim and export is finished, not repeated.
    """
    # Bookers hold this row while they append, so every entry up to its number is committed.
    booked = connection.execute(
        sa.select(journal_series.c.last_number)
        .where(journal_series.c.tenant_key == tenant_key)
        .with_for_update()
    ).scalar_one_or_none()
    of_format = (_BATCH.tenant_key == tenant_key, _BATCH.format_name == format_name)
    latest = connection.execute(
        sa.select(handoff_batches).where(*of_format).order_by(_BATCH.batch_number.desc()).limit(1)
    ).first()
    if latest is not None and latest.exported_at is None:
        claimed = {name: getattr(latest, name) for name in ClaimedBatch.__dataclass_fields__}
        return ClaimedBatch(**claimed)
    claimed_up_to = 0 if latest is None else latest.last_entry
    if booked is not None and up_to_entry is not None:
        booked = min(booked, up_to_entry)
    if booked is None or booked <= claimed_up_to:
        return None
    batch = ClaimedBatch(
        tenant_key=tenant_key,
        format_name=format_name,
        batch_number=1 if latest is None else latest.batch_number + 1,
        first_entry=claimed_up_to + 1,
        last_entry=booked,
        bill_day=bill_day,
        opened_at=opened_at,
    )
    connection.execute(sa.insert(handoff_batches).values(vars(batch)))
    return batch


def record_exported(
    connection: sa.Connection,
    batch: ClaimedBatch,
    *,
    path: str,
    sha256: str,
    totals: Mapping[str, object] | str,
) -> None:
    """Note the file a batch went out in, with its control totals (an object or its JSON).

    Raises: BatchExported.
    """
    document = totals if isinstance(totals, str) else json.dumps(totals, sort_keys=True)
    exported = connection.execute(
        sa.update(handoff_batches)
        .where(
            _BATCH.tenant_key == batch.tenant_key,
            _BATCH.format_name == batch.format_name,
            _BATCH.batch_number == batch.batch_number,
            _BATCH.exported_at.is_(None),
        )
        .values(
            path=path,
            sha256=sha256,
            totals=sa.cast(sa.literal(document, sa.Text), _BATCH.totals.type),
            exported_at=sa.func.clock_timestamp(),
        )
    )
    if exported.rowcount != 1:
        raise BatchExported(
            f"batch {batch.batch_number} of {batch.tenant_key} for {batch.format_name} "
            "is unknown or was exported before"
        )


def read_batch(
    connection: sa.Connection, tenant_key: str, format_name: str, batch_number: int
) -> tuple[ClaimedBatch, str, str]:
    """An exported batch, where its file lies, and the file's digest.

    Raises: NoSuchBatch.
    """
    row = connection.execute(
        sa.select(handoff_batches).where(
            _BATCH.tenant_key == tenant_key,
            _BATCH.format_name == format_name,
            _BATCH.batch_number == batch_number,
            _BATCH.exported_at.is_not(None),
        )
    ).first()
    if row is None:
        raise NoSuchBatch(
            f"{tenant_key} has exported no batch {batch_number} for {format_name}; "
            f"billing handoff list {tenant_key} shows what there is"
        )
    claimed = {name: getattr(row, name) for name in ClaimedBatch.__dataclass_fields__}
    return ClaimedBatch(**claimed), str(row.path), str(row.sha256)


def record_receipt(
    connection: sa.Connection,
    batch: ClaimedBatch,
    *,
    state: Literal["accepted", "refused"],
    reference: str,
    note: str,
    received_at: dt.datetime,
    received_by: str,
) -> None:
    """Keep what the accounting system said of a batch, after what it said before."""
    connection.execute(
        sa.insert(handoff_receipts).values(
            tenant_key=batch.tenant_key,
            format_name=batch.format_name,
            batch_number=batch.batch_number,
            state=state,
            reference=reference,
            note=note,
            received_at=received_at,
            received_by=received_by,
        )
    )


def read_receipts(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """The tenant's HANDOFF_RECEIPTS, oldest first."""
    columns = [handoff_receipts.c[name] for name in HANDOFF_RECEIPTS.names]
    select = sa.select(*columns).where(handoff_receipts.c.tenant_key == tenant_key)
    found = copy_out(connection, select, HANDOFF_RECEIPTS)
    return found.sort("format_name", "batch_number", "receipt_number")


def read_batches(connection: sa.Connection, tenant_key: str | None = None) -> pl.DataFrame:
    """The HANDOFF_BATCHES of one tenant or of all visible ones."""
    columns = [
        sa.cast(_BATCH[name], sa.Text).label(name) if name == "totals" else _BATCH[name]
        for name in HANDOFF_BATCHES.names
    ]
    select = sa.select(*columns)
    if tenant_key is not None:
        select = select.where(_BATCH.tenant_key == tenant_key)
    found = copy_out(connection, select, HANDOFF_BATCHES)
    return found.sort("tenant_key", "format_name", "batch_number")
