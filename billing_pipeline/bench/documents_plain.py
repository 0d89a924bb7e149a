"""What one writes first: WeasyPrint called once for each invoice, usage as an HTML table."""

import html
from dataclasses import replace
from pathlib import Path

import weasyprint

from billing_pipeline.bench.contest import Clock
from billing_pipeline.bench.paper import invoices, pages_of
from billing_pipeline.documents.annex import annex_groups
from billing_pipeline.documents.formats import formats
from billing_pipeline.documents.render import invoice_html
from billing_pipeline.invoicing.document import InvoiceDocument

_STYLE = "body { font: 9pt 'Liberation Sans' } table { width: 100% } td { padding: 1mm }"
_MOST_ROWS = 1_000_000


def run(folder: Path, scratch: Path, clock: Clock, count: str) -> None:
    """Render one after the other."""
    del folder, scratch
    plain_pdf(next(invoices(1)))
    clock.counts["documents"] = clock.counts["pages"] = 0
    with clock.phase("plain loop"):
        for document in invoices(int(count)):
            clock.counts["pages"] += pages_of(plain_pdf(document))
            clock.counts["documents"] += 1


def plain_pdf(document: InvoiceDocument) -> bytes:
    """The document by a plain WeasyPrint call."""
    locale = formats(document.locale)
    usage = annex_groups(document.itemisation, document.time_zone, locale, _MOST_ROWS)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line.split("  ") if cell)
        for group in usage
        for line in group.lines
    )
    body = invoice_html(replace(document, itemisation=document.itemisation.head(0)))
    source = body.replace("</body>", f"<style>{_STYLE}</style><table>{rows}</table></body>")
    content: bytes = weasyprint.HTML(string=source).write_pdf(pdf_variant="pdf/a-3b")
    return content
