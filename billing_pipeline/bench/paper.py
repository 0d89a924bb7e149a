"""The documents of the bench: invoices of three pages, usage itemised, as customers get them."""

import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from billing_pipeline.bench.tenant_folder import TENANT, write_billed_tenant
from billing_pipeline.documents.preview import sample_document
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline.orchestration.configure import read_folder

EVENTS = 40
"""Usage events of a document: as many as fill three pages, ours and the plain ones."""

_PAGE = re.compile(rb"/Type ?/Page\b")
_PACKED = re.compile(rb"/Type ?/ObjStm.*?stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def invoices(count: int) -> Iterator[InvoiceDocument]:
    """So many documents that differ in their numbers, as real ones do."""
    with tempfile.TemporaryDirectory() as folder:
        write_billed_tenant(Path(folder) / TENANT, 1)
        tenant = read_folder(Path(folder) / TENANT).tenant
    document = sample_document(tenant, "invoice", EVENTS)
    for number in range(count):
        yield replace(document, invoice_number=f"INV-{number:06}")


def pages_of(pdf: bytes) -> int:
    """Number of pages of a PDF, its objects compressed or not."""
    packed = (zlib.decompress(found[1]) for found in _PACKED.finditer(pdf))
    return sum(len(_PAGE.findall(text)) for text in (pdf, *packed))
