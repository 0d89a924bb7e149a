"""Rendering speed against a plain WeasyPrint loop over the same documents.

Run: `python -m billing_pipeline_tests.documents.bench_rendering`. Figures are CPU seconds of one
process, the better of three interleaved rounds, so that neighbours on the machine do not matter.
The plain loop is what one writes first: HTML with an inline style sheet, usage as a table.
"""

import gc
import io
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pdfplumber

from billing_pipeline.bench.documents_plain import plain_pdf
from billing_pipeline.documents.batch import hold_collector, render_documents
from billing_pipeline.documents.render import invoice_pdf
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline_tests.documents.builders import family_invoice, small_invoice

ROUNDS = 3

CASES = {
    "1 page": (small_invoice(), 10),
    "40 events": (family_invoice(40), 6),
    "500 events": (family_invoice(500), 2),
}


def distinct(document: InvoiceDocument, count: int) -> Iterator[InvoiceDocument]:
    """Copies that differ in number, as real documents do."""
    for number in range(count):
        yield replace(document, invoice_number=f"INV-{number}")


def cpu_seconds(render: Callable[[InvoiceDocument], bytes], document: InvoiceDocument) -> float:
    """CPU seconds of rendering one document."""
    if render is invoice_pdf:
        hold_collector()  # as the workers do
    start = time.process_time()
    render(document)
    gc.collect()
    spent = time.process_time() - start
    gc.unfreeze()
    gc.enable()
    return spent


def pages(content: bytes) -> int:
    """Number of pages of a PDF."""
    with pdfplumber.open(io.BytesIO(content)) as pdf:
        return len(pdf.pages)


def compare() -> None:
    """Print CPU seconds and pages a second of both, and the ratio of pages a second."""
    for name, (document, count) in CASES.items():
        best: dict[str, float] = {}
        for _ in range(ROUNDS):
            for label, render in (("plain", plain_pdf), ("ours", invoice_pdf)):
                spent = sum(cpu_seconds(render, one) for one in distinct(document, count)) / count
                best[label] = min(best.get(label, spent), spent)
        ours, plain = pages(invoice_pdf(document)), pages(plain_pdf(document))
        sys.stdout.write(
            f"{name}: plain {best['plain']:.3f} s ({plain} pages), ours {best['ours']:.3f} s "
            f"({ours} pages); documents a second x{best['plain'] / best['ours']:.1f}, "
            f"pages a second {plain / best['plain']:.1f} -> {ours / best['ours']:.1f}\n"
        )


def throughput(count: int = 60) -> None:
    """Print documents a second, wall clock, of a pool of two workers on one-page documents."""
    list(render_documents(distinct(small_invoice(), 4), workers=2))
    start = time.perf_counter()
    rendered = sum(1 for _ in render_documents(distinct(small_invoice(), count), workers=2))
    seconds = time.perf_counter() - start
    sys.stdout.write(f"pool of 2, start-up included: {rendered / seconds:.1f} documents a second\n")


if __name__ == "__main__":
    compare()
    throughput()
