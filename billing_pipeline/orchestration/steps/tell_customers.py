"""Tell accounting systems of customers that are new or changed, before they get their documents."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import polars as pl

from billing_pipeline.accounting.handoff.format import MappingRefused
from billing_pipeline.accounting.handoff.master_data import customers as generic
from billing_pipeline.accounting.handoff.master_data.customers import (
    as_customers,
    pays_itself,
    refuse_alike,
    with_digest,
)
from billing_pipeline.accounting.handoff.master_data.layout import (
    CustomerBatch,
    CustomerFile,
    CustomerLayout,
)
from billing_pipeline.accounting.handoff.registry import handoff_format
from billing_pipeline.books import catalog as stored
from billing_pipeline.books import customer_batches as batches
from billing_pipeline.books.handoff import first_unclaimed_entry
from billing_pipeline.books.journal import accounts_owing
from billing_pipeline.books.scope import Connection, tenant_scope
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.documents.store import (
    StoredDocument,
    StoredDocumentDiffers,
    get_document,
    put_document,
)
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import read_tenant


@dataclass(frozen=True)
class ToldCustomers:
    """One file of customers handed to an accounting system."""

    format_name: str
    batch_number: int
    customers: int
    path: str
    sha256: str


def tell_customers(
    installation: Installation,
    tenant: Tenant,
    format_name: str,
    bill_day: dt.date,
    now: dt.datetime,
) -> list[ToldCustomers]:
    """Hand over whom the entries to come name, if the format wants it: what it was not told yet.

    Who has no entry yet is not told of and so stops nobody. Who was told of once is told of again
    when something has changed, as long as nobody else pays for him.
    Raises: MappingRefused naming the customers a target could not take.
    """
    return list(_told(installation, tenant, format_name, bill_day, now))


def _told(
    installation: Installation,
    tenant: Tenant,
    format_name: str,
    bill_day: dt.date,
    now: dt.datetime,
) -> Iterator[ToldCustomers]:
    layout = handoff_format(format_name).customers
    if layout is None or not layout.is_wanted(tenant):
        return
    # One transaction: a run that dies told nobody anything, and the next one says it all.
    with tenant_scope(installation.engine, tenant.key) as connection:
        number = batches.next_batch_number(connection, tenant.key, format_name)
        news = _news(connection, tenant, format_name, layout)
        for offset, part in enumerate(news.iter_slices(layout.most)):
            batch = CustomerBatch(tenant.key, format_name, number + offset, now, part.height)
            file = layout.file(part.drop("content_sha256"), batch, tenant)
            stored_file = _store(installation, file)
            batches.record_customers(
                connection,
                part,
                tenant_key=tenant.key,
                format_name=format_name,
                batch_number=batch.batch_number,
                bill_day=bill_day,
                opened_at=now,
                path=stored_file.path,
                sha256=stored_file.sha256,
            )
            yield ToldCustomers(
                format_name, batch.batch_number, part.height, stored_file.path, file.sha256
            )


def _news(
    connection: Connection, tenant: Tenant, format_name: str, layout: CustomerLayout
) -> pl.DataFrame:
    """CUSTOMERS with `content_sha256` that the format was not told of as they are now."""
    told = batches.customers_told(connection, tenant.key, format_name)
    first = first_unclaimed_entry(connection, tenant.key, format_name)
    is_named = pl.col("account_key").is_in(accounts_owing(connection, tenant.key, first))
    is_kept = pays_itself() & pl.col("account_key").is_in(told["account_key"].implode())
    # An entry names who owed when it was booked, also one who has left or another pays for now.
    accounts = stored.read_last_known_accounts(connection, tenant.key)
    wanted = accounts.filter(is_named | is_kept)
    now = with_digest(as_customers(wanted, tenant, format_name))
    refuse_alike(now, layout)
    return now.join(told, on=["account_key", "content_sha256"], how="anti").sort("account_key")


def tell_again(
    installation: Installation, tenant_key: str, format_name: str, batch_number: int
) -> CustomerFile:
    """A batch of customers as it was handed over, to the byte.

    It is rendered again from the accounts as they were known then, and its digest compared; where
    the tenant's names have changed since, or the target no longer takes them, the kept file itself
    is given.
    Raises: NoSuchCustomerBatch; StoredDocumentDiffers where neither is what was handed over.
    """
    tenant = read_tenant(installation, tenant_key)
    with tenant_scope(installation.engine, tenant_key) as connection:
        row = batches.read_customer_batch(connection, tenant_key, format_name, batch_number)
        members = batches.read_members(connection, tenant_key, format_name, batch_number)
        accounts = stored.read_last_known_accounts(
            connection, tenant_key, known_at=row.opened_at
        ).filter(pl.col("account_key").is_in(members))
    layout = handoff_format(format_name).customers or generic.LAYOUT
    batch = CustomerBatch(tenant_key, format_name, batch_number, row.opened_at, row.customers)
    with suppress(MappingRefused):
        file = layout.file(as_customers(accounts, tenant, format_name), batch, tenant)
        if file.sha256 == row.sha256:
            return file
    return CustomerFile(batch, layout.file_name(batch), _kept(row, batch.reference))


def _kept(row: batches.ExportedCustomers, reference: str) -> bytes:
    try:
        return get_document(StoredDocument(row.path, row.sha256, 0))
    except (OSError, StoredDocumentDiffers) as missing:
        raise StoredDocumentDiffers(
            f"{reference} renders to other bytes than were handed over, and {row.path} is gone or "
            "changed: restore the file, or the tenant's names as they were"
        ) from missing


def _store(installation: Installation, file: CustomerFile) -> StoredDocument:
    name, _, suffix = file.file_name.rpartition(".")
    tenant_key = file.batch.tenant_key
    return put_document(installation.documents_url, tenant_key, name, suffix, file.content)
