"""The limit to look at: typst, a typesetter in Rust, with one hand-written template."""

from pathlib import Path

import typst

from billing_pipeline.bench.contest import Clock
from billing_pipeline.bench.paper import invoices
from billing_pipeline.invoicing.document import InvoiceDocument

_TEMPLATE = """
#set page(paper: "a4", numbering: "1 / 1")
#set text(size: 9pt)
= Invoice {number}
{buyer}
#table(columns: (1fr, auto), {lines})
*Total {total}*
#pagebreak()
== Usage
#table(columns: (auto, auto, auto, auto), {usage})
"""


def run(folder: Path, scratch: Path, clock: Clock, count: str) -> None:
    """Typeset one after the other; the template makes two pages."""
    del folder
    source = scratch / "invoice.typ"
    clock.counts["documents"] = clock.counts["pages"] = 0
    with clock.phase("typst"):
        for document in invoices(int(count)):
            source.write_text(_source(document))
            typst.compile(str(source))
            clock.counts["documents"] += 1
            clock.counts["pages"] += 2


def _source(document: InvoiceDocument) -> str:
    lines = [
        f"[{line.description}], [{line.net_minor / 100:.2f}]"
        for section in document.sections
        for line in section.lines
    ]
    usage = document.itemisation.select("started_at", "destination", "quantity", "amount").rows()
    cells = ["[" + "], [".join(str(cell) for cell in row) + "]" for row in usage]
    return _TEMPLATE.format(
        number=document.invoice_number,
        buyer=document.buyer.name,
        lines=", ".join(lines),
        total=f"{document.total_minor / 100:.2f}",
        usage=", ".join(cells),
    )
