"""What people do with hand-off batches: look, export now, export again, note the answer."""

from pathlib import Path
from typing import Literal

import polars as pl

from billing_pipeline.accounting.handoff.master_data import customers as generic
from billing_pipeline.accounting.handoff.master_data.customers import customers_of, refuse_alike
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch
from billing_pipeline.accounting.handoff.registry import handoff_format
from billing_pipeline.books import handoff
from billing_pipeline.books.customer_batches import read_customer_batches
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.book import re_export
from billing_pipeline.orchestration.steps.facts import read_facts, read_tenant
from billing_pipeline.orchestration.steps.hand_over import HandOver, hand_over
from billing_pipeline.orchestration.steps.tell_customers import tell_again


def batches_of(installation: Installation, tenant_key: str) -> pl.DataFrame:
    """HANDOFF_BATCHES of a tenant with `answer`: the last receipt's state and reference."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        batches = handoff.read_batches(connection, tenant_key)
        receipts = handoff.read_receipts(connection, tenant_key)
    last = receipts.unique(["format_name", "batch_number"], keep="last", maintain_order=True)
    answers = last.select(
        "format_name",
        "batch_number",
        answer=pl.concat_str("state", "reference", separator=" ").str.strip_chars(),
    )
    return batches.join(answers, on=["format_name", "batch_number"], how="left", validate="1:1")


def customer_batches_of(installation: Installation, tenant_key: str) -> pl.DataFrame:
    """CUSTOMER_BATCHES of a tenant."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        return read_customer_batches(connection, tenant_key)


def export_now(installation: Installation, tenant_key: str) -> HandOver:
    """Hand over all customers and entries not handed over yet, in all formats of the tenant."""
    tenant = read_tenant(installation, tenant_key)
    now = utc_now()
    today = now.astimezone(tenant.zone).date()
    return hand_over(installation, tenant, today, now)


def export_again(
    installation: Installation, tenant_key: str, format_name: str, batch_number: int, out: Path
) -> Path:
    """Write a batch as it was handed over to a folder; return the file.

    Raises: NoSuchBatch, ExportDiffers.
    """
    tenant = read_tenant(installation, tenant_key)
    file = re_export(installation, tenant, format_name, batch_number)
    return _written(out, file.file_name, file.content)


def write_customers(
    installation: Installation, tenant_key: str, format_name: str, out: Path
) -> list[Path]:
    """Write all who pay a tenant, in the layout of one format; return the files.

    There are several where one file of the format may not hold them all. A format without a
    layout of its own gets ours. Raises: UnknownFormat, MappingRefused.
    """
    chosen = handoff_format(format_name)
    layout = chosen.customers or generic.LAYOUT
    facts = read_facts(installation, tenant_key)
    customers = customers_of(facts.accounts, facts.tenant, chosen.name)
    refuse_alike(customers, layout)
    now = utc_now()
    files = []
    for number, part in enumerate(customers.iter_slices(layout.most), start=1):
        batch = CustomerBatch(tenant_key, chosen.name, 0, now, part.height)
        file = layout.file(part, batch, facts.tenant)
        name = Path(file.file_name)
        if number > 1:
            name = name.with_stem(f"{name.stem}-{number}")
        files.append(_written(out, name.name, file.content))
    return files


def tell_customers_again(
    installation: Installation, tenant_key: str, format_name: str, batch_number: int, out: Path
) -> Path:
    """Write a batch of customers as it was handed over to a folder; return the file.

    Raises: NoSuchCustomerBatch, StoredDocumentDiffers.
    """
    file = tell_again(installation, tenant_key, format_name, batch_number)
    return _written(out, file.file_name, file.content)


def _written(out: Path, file_name: str, content: bytes) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    target = out / file_name
    target.write_bytes(content)
    return target


def note_receipt(  # noqa: PLR0913 - an answer has this many parts
    installation: Installation,
    tenant_key: str,
    format_name: str,
    batch_number: int,
    *,
    state: Literal["accepted", "refused"],
    reference: str,
    note: str,
    person: str,
) -> None:
    """Keep what the accounting system said of a batch.

    Raises: NoSuchBatch.
    """
    with tenant_scope(installation.engine, tenant_key) as connection:
        batch, _, _ = handoff.read_batch(connection, tenant_key, format_name, batch_number)
        handoff.record_receipt(
            connection,
            batch,
            state=state,
            reference=reference,
            note=note,
            received_at=utc_now(),
            received_by=person,
        )
