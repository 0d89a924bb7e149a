"""The QR code that fills in a bank transfer (EPC069-12, known as GiroCode)."""

from dataclasses import dataclass
from itertools import groupby

import segno

from billing_pipeline.documents.einvoice.facts import payment_account
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline.vocabulary.money import from_minor_units

_MOST_CENTS = 99_999_999_999
_LONGEST_NAME, _LONGEST_REMITTANCE = 70, 140


@dataclass(frozen=True)
class PaymentCode:
    """A square of `size` modules; `path` is an SVG path over the dark ones."""

    size: int
    path: str


def payment_code(document: InvoiceDocument) -> PaymentCode | None:
    """The code of a document to be paid in euro to an IBAN; None where the standard has none."""
    payload = transfer_payload(document)
    if payload is None:
        return None
    # Error correction M and version 13 at most, as the standard asks.
    code = segno.make_qr(payload, error="m", encoding="utf-8", boost_error=False)
    rows = tuple(bytes(row) for row in code.matrix)
    path = "".join(_dark_runs(row, y) for y, row in enumerate(rows))
    return PaymentCode(len(rows), path)


def _dark_runs(row: bytes, y: int) -> str:
    """Runs of dark modules of a row as rectangles: one for each run keeps the path short."""
    path, x = "", 0
    for is_dark, run in groupby(row):
        width = len(list(run))
        path += f"M{x} {y}h{width}v1h-{width}z" if is_dark else ""
        x += width
    return path


def transfer_payload(document: InvoiceDocument) -> str | None:
    """The transfer as the standard writes it: twelve lines, fixed order."""
    iban = document.payment.iban
    is_payable = not document.is_credit_note and 0 < document.total_minor <= _MOST_CENTS
    if document.currency != "EUR" or not iban or not is_payable:
        return None
    return "\n".join(
        (
            "BCD",
            "002",
            "1",
            "SCT",
            document.payment.bic or "",
            document.seller.name[:_LONGEST_NAME],
            payment_account(document),
            f"EUR{from_minor_units(document.total_minor, 'EUR')}",
            "",
            "",
            document.payment.reference[:_LONGEST_REMITTANCE],
        )
    )
