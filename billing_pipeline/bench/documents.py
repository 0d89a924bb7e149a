"""Budget 5: documents by our workers; the same ones rendered twice must be the same bytes."""

import hashlib
from pathlib import Path

from billing_pipeline.bench.contest import Clock, NotRight
from billing_pipeline.bench.paper import invoices, pages_of
from billing_pipeline.documents.batch import render_documents

WORKERS = 2
TWICE = 4
"""Documents that are rendered again, in one process."""


def run(folder: Path, scratch: Path, clock: Clock, count: str) -> None:
    """Render with workers, as a bill run does; then a few in this process."""
    del folder, scratch
    list(render_documents(invoices(WORKERS), workers=WORKERS))
    first: list[str] = []
    clock.counts["documents"] = clock.counts["pages"] = 0
    with clock.phase("workers"):
        for _, pdf in render_documents(invoices(int(count)), workers=WORKERS):
            clock.counts["documents"] += 1
            clock.counts["pages"] += pages_of(pdf)
            if len(first) < TWICE:
                first.append(hashlib.sha256(pdf).hexdigest())
    with clock.phase("one process"):
        again = [
            hashlib.sha256(pdf).hexdigest()
            for _, pdf in render_documents(invoices(TWICE), workers=0)
        ]
    if again != first[:TWICE]:
        raise NotRight("a document rendered again has other bytes")
