"""A financial report as HTML and PDF. Nothing is computed here; figures are written down."""

import datetime as dt
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from billing_pipeline.accounting.report import FinancialReport
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.documents.formats import formats
from billing_pipeline.documents.report_sections import headlines, sections


@dataclass(frozen=True)
class PrintedReport:
    """One report in both forms."""

    html: str
    pdf: bytes


def print_report(report: FinancialReport, tenant: Tenant, printed_at: dt.datetime) -> PrintedReport:
    """Print a tenant's month; equal figures, tenant and instant give equal bytes."""
    # Importing them takes a second, which whoever only loads definitions need not wait.
    import weasyprint  # noqa: PLC0415

    from billing_pipeline.documents.fetching import NoFetching  # noqa: PLC0415

    written = formats(tenant.locale)
    html = (
        _environment()
        .get_template("report.html.j2")
        .render(
            tenant=tenant,
            month=f"{report.month:%B %Y}",
            printed_at=f"{printed_at:%Y-%m-%d %H:%M} UTC",
            headlines=headlines(report, tenant.currency, written),
            sections=sections(report, tenant.currency, written),
        )
    )
    document = weasyprint.HTML(string=html, url_fetcher=NoFetching()).render()
    document.metadata.created = document.metadata.modified = printed_at.isoformat()
    pdf: bytes = document.write_pdf(pdf_identifier=html.encode()[:32])
    return PrintedReport(html, pdf)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("billing_pipeline.documents", "templates/report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
