import datetime as dt

import polars as pl
import pytest

from billing_pipeline.receivables.open_items import due_date, open_items
from billing_pipeline_tests.accounting.builders import (
    CREDIT_NOTE,
    INVOICE,
    Document,
    invoices_frame,
)


@pytest.mark.parametrize(
    ("issued", "terms", "expected"),
    [
        pytest.param(dt.date(2026, 2, 1), 14, dt.date(2026, 2, 15), id="a fortnight"),
        pytest.param(dt.date(2026, 2, 1), 0, dt.date(2026, 2, 1), id="at once"),
        pytest.param(dt.date(2027, 12, 31), 60, dt.date(2028, 2, 29), id="over a leap day"),
    ],
)
def test_payment_is_due_the_agreed_days_after_issue(
    issued: dt.date, terms: int, expected: dt.date
) -> None:
    frame = pl.DataFrame({"issued": [issued], "terms": [terms]})

    assert frame.select(due_date(pl.col("issued"), pl.col("terms"))).item() == expected


def test_every_document_with_a_total_is_an_open_item() -> None:
    nothing = Document("INV-2026-000002", [("calls", 0)])
    items = open_items(invoices_frame([INVOICE, CREDIT_NOTE, nothing]))

    assert items.select("invoice_number", "due_date", "open_minor").rows() == [
        ("CN-2026-000001", dt.date(2026, 3, 15), -120),
        ("INV-2026-000001", dt.date(2026, 2, 15), 3000),
    ]
