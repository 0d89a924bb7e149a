"""Receipts of payments: rendered once, kept in the documents store, the same ever after."""

from collections.abc import Sequence

import polars as pl

from billing_pipeline.books import invoices, payments
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.documents.receipt import receipt_pdf
from billing_pipeline.documents.store import put_document
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import TenantFacts
from billing_pipeline.orchestration.steps.render import read_template_set
from billing_pipeline.receivables.receipt import receipt_of


class NoReceipt(Exception):
    """There is no payment of this key to confirm."""


def keep_receipts(
    installation: Installation, facts: TenantFacts, payment_keys: Sequence[str]
) -> dict[str, str]:
    """Paths of the receipts of some payments; those that have none yet are rendered and kept.

    Raises: NoReceipt for a key that is no payment, such as a write-off's.
    """
    tenant_key = facts.tenant.key
    with tenant_scope(installation.engine, tenant_key) as connection:
        kept = payments.receipts_of(connection, tenant_key)
        received = payments.read_payments(connection, tenant_key)
        documents = invoices.read_invoices(connection, tenant_key)
        settled = payments.read_settled(connection, tenant_key)
    confirmable = received.filter(pl.col("kind") == "payment")
    unknown = sorted(set(payment_keys) - set(confirmable["payment_key"]))
    if unknown:
        raise NoReceipt(f"{tenant_key} has received no payment {unknown[0]!r}")
    templates = read_template_set(installation, tenant_key)
    items = settled.rename({"amount_minor": "settled_minor"}).join(
        documents.select("invoice_number", "total_minor", issue_date="bill_day"),
        on="invoice_number",
        how="left",
        validate="m:1",
    )
    for key in (key for key in payment_keys if key not in kept):
        of_key = pl.col("payment_key") == key
        receipt = receipt_of(
            confirmable.filter(of_key), items.filter(of_key), facts.tenant, facts.accounts
        )
        put = put_document(
            installation.documents_url,
            tenant_key,
            f"receipt-{key}",
            "pdf",
            receipt_pdf(receipt, templates),
        )
        with tenant_scope(installation.engine, tenant_key) as connection:
            payments.record_receipt(connection, tenant_key, key, path=put.path, sha256=put.sha256)
        kept[key] = put.path
    return {key: kept[key] for key in payment_keys}
