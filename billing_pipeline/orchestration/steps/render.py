"""Render a bill day's documents: PDF and itemisation, only what is missing."""

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.books import invoices
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.documents.batch import render_documents
from billing_pipeline.documents.itemisation import itemisation_csv
from billing_pipeline.documents.store import StoredDocument, put_document
from billing_pipeline.invoicing.assemble import invoice_documents
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.behind import fetch_usage_behind
from billing_pipeline.orchestration.steps.facts import TenantFacts

PDF = "pdf"
ITEMISATION = "itemisation"
FEW_DOCUMENTS = 8
"""So few are rendered faster in this process than by starting others."""


@dataclass(frozen=True)
class RenderedDay:
    """What rendering came to: invoice numbers with the path of their PDF."""

    paths: list[tuple[str, str]]
    bytes: int

    @property
    def documents(self) -> int:
        """Number of documents rendered."""
        return len(self.paths)


def render_days(
    installation: Installation, facts: TenantFacts, bill_days: Sequence[dt.date]
) -> dict[dt.date, RenderedDay]:
    """Render what is missing up to the last of a tenant's bill days, all of it in one go.

    What an interrupted run left unrendered on earlier days is made up for.
    """
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        missing = invoices.missing_documents(connection, facts.tenant.key, PDF)["invoice_number"]
        documents = invoices.read_invoices(connection, facts.tenant.key).filter(
            (pl.col("bill_day") <= max(bill_days))
            & pl.col("invoice_number").is_in(missing.implode())
        )
        keys = documents["invoice_key"].implode()
        lines = invoices.read_lines(connection, facts.tenant.key)
        taxes = invoices.read_taxes(connection, facts.tenant.key)
    if documents.is_empty():
        return {}
    of_these = pl.col("invoice_key").is_in(keys)
    models = _models(installation, facts, documents, lines.filter(of_these), taxes.filter(of_these))
    stored = _store(installation, facts.tenant.key, models)
    return _by_day(documents, stored)


def _models(
    installation: Installation,
    facts: TenantFacts,
    documents: pl.DataFrame,
    lines: pl.DataFrame,
    taxes: pl.DataFrame,
) -> list[InvoiceDocument]:
    usage = fetch_usage_behind(installation, facts.tenant, lines)
    return list(
        invoice_documents(documents, lines, taxes, facts.tenant, facts.accounts, itemisation=usage)
    )


def _store(
    installation: Installation, tenant_key: str, models: list[InvoiceDocument]
) -> dict[str, StoredDocument]:
    workers = 0 if len(models) <= FEW_DOCUMENTS else os.cpu_count() or 1
    itemised = {model.invoice_number: model.itemisation for model in models}
    stored = {}
    for number, content in render_documents(models, workers):
        stored[number] = _put(installation, tenant_key, number, PDF, content)
        if itemised[number].height:
            rows = itemisation_csv(itemised[number])
            _put(installation, tenant_key, number, ITEMISATION, rows)
    return stored


def _put(
    installation: Installation, tenant_key: str, number: str, kind: str, content: bytes
) -> StoredDocument:
    """Store one file, then remember it: a kill between the two only stores it again."""
    suffix = "pdf" if kind == PDF else "csv"
    put = put_document(installation.documents_url, tenant_key, number, suffix, content)
    with tenant_scope(installation.engine, tenant_key) as connection:
        invoices.record_document(
            connection, tenant_key, number, kind=kind, path=put.path, sha256=put.sha256
        )
    return put


def _by_day(
    documents: pl.DataFrame, stored: dict[str, StoredDocument]
) -> dict[dt.date, RenderedDay]:
    days: dict[dt.date, list[str]] = {}
    for day, number in documents.select("bill_day", "invoice_number").sort(pl.all()).rows():
        days.setdefault(day, []).append(number)
    return {
        day: RenderedDay(
            [(number, stored[number].path) for number in numbers],
            sum(stored[number].size_bytes for number in numbers),
        )
        for day, numbers in days.items()
    }
