from dataclasses import replace

import pytest

from billing_pipeline.documents.payment_code import payment_code, transfer_payload
from billing_pipeline.documents.render import invoice_html
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline_tests.documents.builders import credit_note, small_invoice

INVOICE = small_invoice()


def test_a_transfer_is_written_as_the_standard_has_it() -> None:
    # Source: EPC069-12 version 2, "Service Tag" to "Remittance Information (Unstructured)".
    assert (transfer_payload(INVOICE) or "").split("\n") == [
        "BCD",
        "002",
        "1",
        "SCT",
        "COBADEFFXXX",
        "Nordlicht Netze GmbH",
        "DE89370400440532013000",
        "EUR29.75",
        "",
        "",
        "INV-2026-000001",
    ]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(credit_note(), id="nothing to pay"),
        pytest.param(replace(INVOICE, currency="GBP"), id="not in euro"),
        pytest.param(replace(INVOICE, payment=replace(INVOICE.payment, iban=None)), id="no IBAN"),
        pytest.param(replace(INVOICE, total_minor=10**11), id="more than the standard carries"),
    ],
)
def test_where_the_standard_has_no_code_none_is_printed(document: InvoiceDocument) -> None:
    assert payment_code(document) is None


def test_the_code_is_a_square_with_three_finders() -> None:
    code = payment_code(INVOICE)

    assert code is not None
    assert (code.size - 17) % 4 == 0
    assert code.size <= 4 * 13 + 17
    for x, y in ((0, 0), (code.size - 7, 0), (0, code.size - 7)):
        assert f"M{x} {y}h7" in code.path


def test_the_code_stands_on_the_invoice() -> None:
    code = payment_code(INVOICE)

    assert code is not None
    assert code.path in invoice_html(INVOICE)
