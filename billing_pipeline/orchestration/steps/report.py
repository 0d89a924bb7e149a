"""A tenant's month as a report: gathered, printed, and written to a folder or the store."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from billing_pipeline.accounting.report import FinancialReport, margins, usage_trend
from billing_pipeline.books.reports import read_report
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.documents.report import PrintedReport, print_report
from billing_pipeline.documents.store import put_document
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.compute import scan_rated_usage
from billing_pipeline.orchestration.steps.facts import TenantFacts
from billing_pipeline.vocabulary.periods import boundary_on, local_day
from billing_pipeline.vocabulary.spreadsheets import as_shown


@dataclass(frozen=True)
class StoredReport:
    """Where a printed report lies, and how many rows each of its frames has."""

    paths: tuple[str, ...]
    rows: dict[str, int]


def gather_report(
    installation: Installation, facts: TenantFacts, month: dt.date
) -> FinancialReport:
    """Read what lake and books say of a tenant's month; `month` is its first day."""
    last_day = boundary_on(month, "month", 1) - ONE_DAY
    rated = scan_rated_usage(
        installation, facts.tenant.key, month - ONE_DAY, last_day + 2 * ONE_DAY
    )
    zone = facts.tenant.time_zone
    day = local_day(pl.col("started_at"), zone)
    of_month = rated.filter(day >= month, day <= last_day)
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        from_books = read_report(connection, facts.tenant.key, month, last_day)
    return FinancialReport(
        month=month,
        margins=margins(of_month, facts.catalog),
        usage=usage_trend(of_month, zone),
        **from_books,
    )


def write_report(
    installation: Installation, facts: TenantFacts, month: dt.date, out: Path, now: dt.datetime
) -> list[Path]:
    """Write a report as PDF and HTML, and each of its frames as CSV; return the files."""
    report = gather_report(installation, facts, month)
    printed = print_report(report, facts.tenant, now)
    out.mkdir(parents=True, exist_ok=True)
    name = _name(facts, month)
    written = [out / f"{name}.pdf", out / f"{name}.html"]
    written[0].write_bytes(printed.pdf)
    written[1].write_text(printed.html, encoding="utf-8")
    for frame_name, rows in report.frames().items():
        written.append(out / f"{frame_name}.csv")
        rows.with_columns(as_shown()).write_csv(written[-1])
    return written


def store_report(
    installation: Installation, facts: TenantFacts, month: dt.date, now: dt.datetime
) -> StoredReport:
    """Keep a report in the documents store."""
    report = gather_report(installation, facts, month)
    printed = print_report(report, facts.tenant, now)
    return StoredReport(
        _stored(installation, facts, month, printed),
        {name: frame.height for name, frame in report.frames().items()},
    )


def _stored(
    installation: Installation, facts: TenantFacts, month: dt.date, printed: PrintedReport
) -> tuple[str, ...]:
    name, contents = _name(facts, month), {"pdf": printed.pdf, "html": printed.html.encode()}
    return tuple(
        put_document(installation.documents_url, facts.tenant.key, name, suffix, content).path
        for suffix, content in contents.items()
    )


def _name(facts: TenantFacts, month: dt.date) -> str:
    return f"report-{facts.tenant.key}-{month:%Y-%m}"
