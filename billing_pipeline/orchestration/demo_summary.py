"""The demo's last word: what came in, where it went, what it is worth, and where to look."""

from collections.abc import Iterator

import polars as pl
from rich.console import Group
from rich.table import Table
from rich.text import Text

from billing_pipeline.books import checks, findings, handoff, summary
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.vocabulary.money import from_minor_units

_STAGES = {"decode": "decoded", "mediate": "mediated", "rate": "rated"}


def summary_table(installation: Installation) -> Group:
    """Usage by stage, money by tenant, and the verdict of the checks, as tables for a terminal."""
    with installation_scope(installation.engine) as connection:
        files = summary.usage_summary(connection)
        stages = summary.stage_summary(connection)
        invoiced = summary.invoice_summary(connection)
        journal = summary.journal_summary(connection)
        batches = handoff.read_batches(connection)
        failing = checks.failing_checks(connection)
        found = findings.read_findings(connection, "open")
    verdict = "all hold" if not failing else f"FAILING: {', '.join(sorted(failing))}"
    return Group(
        _usage(files, stages),
        _money(invoiced, journal, batches),
        Text(f"Checks over the books: {verdict}"),
        Text(f"Findings of the controls: {found.height} open; billing findings list"),
        Text(f"PDFs, itemisations and hand-off files: {installation.documents_url}"),
    )


def _usage(files: pl.DataFrame, stages: pl.DataFrame) -> Table:
    table = Table(title=f"Usage: {files['files'].sum()} files", title_justify="left")
    for name in ("stage", "records in", "accepted", "duplicates", "suspended", "filtered"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for stage, words in _STAGES.items():
        of_stage = stages.filter(pl.col("stage") == stage)
        counts = ("records_in", "accepted", "duplicates", "suspended", "filtered")
        table.add_row(words, *(f"{of_stage[name].sum():,}" for name in counts))
    return table


def _money(invoiced: pl.DataFrame, journal: pl.DataFrame, batches: pl.DataFrame) -> Table:
    table = Table(title="Money by tenant", title_justify="left")
    for name in ("tenant", "invoices", "credit notes", "total", "journal", "hand-off batches"):
        table.add_column(name, justify="left" if name == "tenant" else "right")
    for row in _rows(invoiced, journal, batches):
        table.add_row(*row)
    return table


def _rows(
    invoiced: pl.DataFrame, journal: pl.DataFrame, batches: pl.DataFrame
) -> Iterator[tuple[str, ...]]:
    for tenant_key, currency in (
        invoiced.select("tenant_key", "currency").unique().sort(pl.all()).rows()
    ):
        own = invoiced.filter(
            (pl.col("tenant_key") == tenant_key) & (pl.col("currency") == currency)
        )
        booked = journal.filter(
            (pl.col("tenant_key") == tenant_key) & (pl.col("currency") == currency)
        )
        is_balanced = booked["debits_minor"].sum() == booked["credits_minor"].sum()
        yield (
            tenant_key,
            str(_documents(own, "invoice")),
            str(_documents(own, "credit_note")),
            f"{from_minor_units(int(own['total_minor'].sum()), currency):,} {currency}",
            f"{booked['entries'].sum()} entries, {'balanced' if is_balanced else 'NOT BALANCED'}",
            str(batches.filter(pl.col("tenant_key") == tenant_key).height),
        )


def _documents(own: pl.DataFrame, kind: str) -> int:
    return int(own.filter(pl.col("document_kind") == kind)["documents"].sum())
