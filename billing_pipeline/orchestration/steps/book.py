"""Read what issuing booked, and hand the journal off."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffFile, batch_of
from billing_pipeline.accounting.handoff.format import MappingRefused
from billing_pipeline.accounting.handoff.hand_off import render_batch
from billing_pipeline.accounting.handoff.registry import handoff_format
from billing_pipeline.books import handoff, invoices, journal
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.documents.store import (
    StoredDocument,
    StoredDocumentDiffers,
    get_document,
    put_document,
)
from billing_pipeline.orchestration.installation import Installation


class NotBooked(Exception):
    """An issued document is missing from the journal."""


@dataclass(frozen=True)
class BookedDay:
    """What booking a bill day came to; debits equal credits. Minor units."""

    entries: int
    postings: int
    debit_minor: int
    credit_minor: int


def read_booked_day(installation: Installation, tenant: Tenant, bill_day: dt.date) -> BookedDay:
    """What the journal says of a bill day's documents.

    Raises: NotBooked if a document is not in the journal, which issuing it makes impossible.
    """
    with tenant_scope(installation.engine, tenant.key) as connection:
        documents = invoices.read_invoices(connection, tenant.key, bill_day=bill_day)
        rows = journal.read_journal(connection, tenant.key, booked_on=bill_day)
    booked = rows.join(documents.select(source_key="invoice_number"), on="source_key", how="semi")
    missing = documents.filter(
        (pl.col("total_minor") != 0)
        & ~pl.col("invoice_number").is_in(booked["source_key"].implode())
    )
    if not missing.is_empty():
        raise NotBooked(f"not in the journal: {', '.join(missing['invoice_number'].head(5))}")
    amounts = booked["amount_minor"]
    return BookedDay(
        entries=booked["entry_number"].n_unique(),
        postings=booked.height,
        debit_minor=int(amounts.filter(amounts > 0).sum()),
        credit_minor=-int(amounts.filter(amounts < 0).sum()),
    )


@dataclass(frozen=True)
class HandedOff:
    """One file handed to an accounting system."""

    format_name: str
    batch_number: int
    entries: int
    path: str
    sha256: str


def hand_off_journal(
    installation: Installation,
    tenant: Tenant,
    format_name: str,
    bill_day: dt.date,
    now: dt.datetime,
) -> list[HandedOff]:
    """Export every journal entry not yet exported in one format of the tenant.

    Raises: MappingRefused naming the entries a target could not take.
    """
    return list(_export_all(installation, tenant, format_name, bill_day, now))


def _export_all(
    installation: Installation,
    tenant: Tenant,
    format_name: str,
    bill_day: dt.date,
    now: dt.datetime,
) -> Iterator[HandedOff]:
    while exported := _export(installation, tenant, format_name, bill_day, now):
        yield exported


def _export(
    installation: Installation,
    tenant: Tenant,
    format_name: str,
    bill_day: dt.date,
    now: dt.datetime,
) -> HandedOff | None:
    """Claim, render, store and record one batch in one transaction: all of it, or nothing."""
    with tenant_scope(installation.engine, tenant.key) as connection:
        first = handoff.first_unclaimed_entry(connection, tenant.key, format_name)
        rows = journal.read_journal(connection, tenant.key, first_entry=first)
        if rows.is_empty():
            return None
        part = handoff_format(format_name).division(rows, tenant)[0]
        claimed = handoff.open_batch(
            connection,
            tenant.key,
            format_name,
            bill_day,
            opened_at=now,
            up_to_entry=_last_entry(part),
        )
        if claimed is None:
            return None
        batch = batch_of(
            part,
            tenant_key=tenant.key,
            format_name=format_name,
            batch_number=claimed.batch_number,
            created_at=claimed.opened_at,
        )
        file = render_batch(part, batch, tenant)
        stored = _store(installation, tenant, file)
        handoff.record_exported(
            connection,
            claimed,
            path=stored.path,
            sha256=stored.sha256,
            totals=file.manifest().decode(),
        )
    return HandedOff(format_name, batch.batch_number, batch.entries, stored.path, stored.sha256)


class ExportDiffers(Exception):
    """A batch rendered again is not the file that was handed over."""


def re_export(
    installation: Installation, tenant: Tenant, format_name: str, batch_number: int
) -> HandoffFile:
    """A batch as it was handed over, to the byte.

    It is rendered again from the journal with the instant it was opened at, and its digest
    compared. Where the tenant's names have changed since, or the target no longer takes them, the
    kept file itself is given.
    Raises: NoSuchBatch; ExportDiffers where neither is what was handed over.
    """
    with tenant_scope(installation.engine, tenant.key) as connection:
        claimed, path, sha256 = handoff.read_batch(
            connection, tenant.key, format_name, batch_number
        )
        rows = journal.read_journal(
            connection,
            tenant.key,
            first_entry=claimed.first_entry,
            last_entry=claimed.last_entry,
        )
    batch = batch_of(
        rows,
        tenant_key=tenant.key,
        format_name=format_name,
        batch_number=batch_number,
        created_at=claimed.opened_at,
    )
    with suppress(MappingRefused):
        file = render_batch(rows, batch, tenant)
        if file.sha256 == sha256:
            return file
    name = handoff_format(format_name).file_name(batch)
    return HandoffFile(batch, name, _kept(path, sha256, batch.reference))


def _kept(path: str, sha256: str, reference: str) -> bytes:
    try:
        return get_document(StoredDocument(path, sha256, 0))
    except (OSError, StoredDocumentDiffers) as missing:
        raise ExportDiffers(
            f"{reference} renders to other bytes than were handed over, and {path} is gone or "
            "changed: restore the file, or the tenant's names as they were"
        ) from missing


def _last_entry(rows: pl.DataFrame) -> int:
    return int(rows["entry_number"].sort()[-1])


def _store(installation: Installation, tenant: Tenant, file: HandoffFile) -> StoredDocument:
    name, _, suffix = file.file_name.rpartition(".")
    return put_document(installation.documents_url, tenant.key, name, suffix, file.content)
