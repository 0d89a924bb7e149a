"""What people do with hand-off batches: look, export now, export again, note the answer."""

from pathlib import Path
from typing import Literal

import polars as pl

from billing_pipeline.accounting.handoff.customers import customers_csv
from billing_pipeline.accounting.handoff.registry import handoff_format
from billing_pipeline.books import handoff
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.book import HandedOff, hand_off_journal, re_export
from billing_pipeline.orchestration.steps.facts import read_facts, read_tenant


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


def export_now(installation: Installation, tenant_key: str) -> list[HandedOff]:
    """Hand over every entry not handed over yet, in all formats of the tenant."""
    tenant = read_tenant(installation, tenant_key)
    now = utc_now()
    return hand_off_journal(installation, tenant, now.astimezone(tenant.zone).date(), now)


def export_again(
    installation: Installation, tenant_key: str, format_name: str, batch_number: int, out: Path
) -> Path:
    """Write a batch as it was handed over to a folder; return the file.

    Raises: NoSuchBatch, ExportDiffers.
    """
    tenant = read_tenant(installation, tenant_key)
    file = re_export(installation, tenant, format_name, batch_number)
    out.mkdir(parents=True, exist_ok=True)
    target = out / file.file_name
    target.write_bytes(file.content)
    return target


def write_customers(
    installation: Installation, tenant_key: str, format_name: str, out: Path
) -> Path:
    """Write who pays a tenant, by the names one format gives them; return the file.

    Raises: UnknownFormat.
    """
    name = handoff_format(format_name).name
    facts = read_facts(installation, tenant_key)
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{tenant_key}-{name}-customers.csv"
    target.write_bytes(customers_csv(facts.accounts, facts.tenant, name))
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
