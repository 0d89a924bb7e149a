"""Render a bill day's documents: PDF and itemisation, only what is missing, portion by portion."""

import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.books import catalog as stored
from billing_pipeline.books import invoices, payments
from billing_pipeline.books.schema import RECORDED_DOCUMENTS
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.catalog.entries import template_files
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.documents.batch import render_documents
from billing_pipeline.documents.files import document_files
from billing_pipeline.documents.store import StoredDocument, put_document
from billing_pipeline.documents.template_sets import TemplateSet, default_template_set
from billing_pipeline.invoicing.assemble import Beside, invoice_documents
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline.invoicing.tiers import tiered_prices
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.behind import fetch_usage_behind
from billing_pipeline.orchestration.steps.facts import TenantFacts

PDF = "pdf"
FEW_DOCUMENTS = 8
"""So few are rendered faster in this process than by starting others."""

MOST_DOCUMENTS, MOST_EVENTS = 500, 250_000
"""Documents and usage events of one portion, which is what memory holds at a time."""

_RECORDED_AT_ONCE = 50
_TOLD_EVERY = 100

Tell = Callable[[int, int], None]


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
    installation: Installation,
    facts: TenantFacts,
    bill_days: Sequence[dt.date],
    tell: Tell = lambda _done, _total: None,
) -> dict[dt.date, RenderedDay]:
    """Render what is missing up to the last of a tenant's bill days, all of it in one go.

    What an interrupted run left unrendered on earlier days is made up for. `tell` hears how many
    documents are done, of how many.
    """
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        missing = invoices.missing_documents(connection, facts.tenant.key, PDF)["invoice_number"]
        documents = invoices.read_invoices(connection, facts.tenant.key).filter(
            (pl.col("bill_day") <= max(bill_days))
            & pl.col("invoice_number").is_in(missing.implode())
        )
        lines = invoices.read_lines(connection, facts.tenant.key)
        taxes = invoices.read_taxes(connection, facts.tenant.key)
    if documents.is_empty():
        return {}
    templates = read_template_set(installation, facts.tenant.key)
    workers = 0 if documents.height <= FEW_DOCUMENTS else os.cpu_count() or 1
    kept: dict[str, StoredDocument] = {}
    for of_type, of_set in _by_template_set(documents, facts.accounts, templates):
        for portion in _portions(of_type, lines):
            of_these = pl.col("invoice_key").is_in(portion["invoice_key"].implode())
            models = _models(
                installation, facts, portion, lines.filter(of_these), taxes.filter(of_these)
            )
            for number, stored_file in _store(installation, facts.tenant, models, of_set, workers):
                kept[number] = stored_file
                if len(kept) % _TOLD_EVERY == 0 or len(kept) == documents.height:
                    tell(len(kept), documents.height)
    return _by_day(documents, kept)


def read_template_set(installation: Installation, tenant_key: str) -> TemplateSet:
    """The default templates with those that were applied with the tenant over them."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        entries = stored.read_entries(connection, tenant_key)
    return default_template_set().with_overrides(template_files(entries))


def _by_template_set(
    documents: pl.DataFrame, accounts: pl.DataFrame, templates: TemplateSet
) -> Iterator[tuple[pl.DataFrame, TemplateSet]]:
    """Documents by the set that prints them: that of their account's type, or the common one."""
    types = accounts.select("account_key", "account_type")
    typed = documents.join(types, on="account_key", how="left", validate="m:1")
    for account_type in templates.account_types:
        of_type = typed.filter(pl.col("account_type") == account_type)
        if of_type.height:
            yield of_type.drop("account_type"), templates.for_account_type(account_type)
    has_own = pl.col("account_type").is_in(list(templates.account_types))
    others = typed.filter(~has_own.fill_null(value=False))
    if others.height:
        yield others.drop("account_type"), templates.for_account_type("")


def _portions(documents: pl.DataFrame, lines: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Documents in order, cut so that neither they nor the usage behind them are too many."""
    events = lines.group_by("invoice_key").agg(pl.col("events").sum())
    weighed = documents.join(events, on="invoice_key", how="left", validate="1:1").sort(
        "invoice_key"
    )
    before = pl.col("events").fill_null(0).cum_sum().shift(1, fill_value=0)
    portion = pl.max_horizontal(
        before // MOST_EVENTS, pl.int_range(pl.len(), dtype=pl.Int64) // MOST_DOCUMENTS
    )
    cut = weighed.with_columns(portion=portion.cum_max()).drop("events")
    yield from cut.partition_by("portion", maintain_order=True, include_key=False)


def _models(
    installation: Installation,
    facts: TenantFacts,
    documents: pl.DataFrame,
    lines: pl.DataFrame,
    taxes: pl.DataFrame,
) -> list[InvoiceDocument]:
    usage = fetch_usage_behind(installation, facts.tenant, lines)
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        numbers = documents["invoice_number"].to_list()
        statements = payments.read_statements(connection, facts.tenant.key, numbers)
    return list(
        invoice_documents(
            documents,
            lines,
            taxes,
            facts.tenant,
            facts.accounts,
            itemisation=usage,
            beside=Beside(
                statements,
                facts.catalog.product_by_key,
                facts.catalog.category_names,
                tiered_prices(facts.catalog),
            ),
        )
    )


def _store(
    installation: Installation,
    tenant: Tenant,
    models: list[InvoiceDocument],
    templates: TemplateSet,
    workers: int,
) -> Iterator[tuple[str, StoredDocument]]:
    """Store every file, then remember it: a kill between the two only stores it again.

    Yields invoice number and where the PDF lies.
    """
    by_number = {model.invoice_number: model for model in models}
    unrecorded: list[tuple[str, str, str, str]] = []
    for number, content in render_documents(models, workers, templates):
        beside = document_files(by_number.pop(number), tenant.document_files, templates)
        for kind, suffix, body in ((PDF, "pdf", content), *beside):
            put = put_document(installation.documents_url, tenant.key, number, suffix, body)
            unrecorded.append((number, kind, put.path, put.sha256))
            if kind == PDF:
                yield number, put
        if len(unrecorded) >= _RECORDED_AT_ONCE:
            _record(installation, tenant.key, unrecorded)
            unrecorded = []
    _record(installation, tenant.key, unrecorded)


def _record(
    installation: Installation, tenant_key: str, files: list[tuple[str, str, str, str]]
) -> None:
    if not files:
        return
    columns = ["invoice_number", "kind", "path", "sha256"]
    rendered = pl.DataFrame(files, schema=columns, orient="row")
    with tenant_scope(installation.engine, tenant_key) as connection:
        invoices.record_documents(connection, tenant_key, RECORDED_DOCUMENTS.conform(rendered))


def _by_day(
    documents: pl.DataFrame, stored_files: dict[str, StoredDocument]
) -> dict[dt.date, RenderedDay]:
    days: dict[dt.date, list[str]] = {}
    for day, number in documents.select("bill_day", "invoice_number").sort(pl.all()).rows():
        days.setdefault(day, []).append(number)
    return {
        day: RenderedDay(
            [(number, stored_files[number].path) for number in numbers],
            sum(stored_files[number].size_bytes for number in numbers),
        )
        for day, numbers in days.items()
    }
