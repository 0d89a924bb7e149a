import datetime as dt

from billing_pipeline.receivables.open_items import open_items
from billing_pipeline_tests.accounting.builders import (
    CREDIT_NOTE,
    INVOICE,
    Document,
    invoices_frame,
)


def test_every_document_with_a_total_is_an_open_item() -> None:
    nothing = Document("INV-2026-000002", [("calls", 0)])
    items = open_items(invoices_frame([INVOICE, CREDIT_NOTE, nothing]))

    assert items.select("invoice_number", "due_date", "open_minor").rows() == [
        ("CN-2026-000001", dt.date(2026, 3, 15), -120),
        ("INV-2026-000001", dt.date(2026, 2, 15), 3000),
    ]
