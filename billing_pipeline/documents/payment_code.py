"""The QR code that fills in a bank transfer (EPC069-12, known as GiroCode)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby

import segno

from billing_pipeline.documents.drawn_shapes import Rectangle, Shapes
from billing_pipeline.documents.einvoice.facts import payment_account
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline.vocabulary.money import from_minor_units

PLACE = "payment-code"
"""Id of the element that holds the code on paper."""

_MOST_CENTS = 99_999_999_999
_LONGEST_NAME, _LONGEST_REMITTANCE = 70, 140


@dataclass(frozen=True)
class PaymentCode:
    """A square of `size` modules, and its dark ones as runs in rows."""

    size: int
    dark: tuple[Rectangle, ...]

    @property
    def path(self) -> str:
        """An SVG path over the dark modules."""
        return "".join(f"M{x} {y}h{width}v1h-{width}z" for x, y, width, _ in self.dark)

    @property
    def shapes(self) -> Shapes:
        """The code for paper."""
        return Shapes(PLACE, self.size, self.size, self.dark, "#000000")


def payment_code(document: InvoiceDocument) -> PaymentCode | None:
    """The code of a document to be paid in euro to an IBAN; None where the standard has none."""
    payload = transfer_payload(document)
    if payload is None:
        return None
    # Error correction M and version 13 at most, as the standard asks.
    code = segno.make_qr(payload, error="m", encoding="utf-8", boost_error=False)
    dark = chain.from_iterable(_dark_runs(bytes(row), y) for y, row in enumerate(code.matrix))
    return PaymentCode(len(code.matrix), tuple(dark))


def _dark_runs(row: bytes, y: int) -> Iterator[Rectangle]:
    """Runs of dark modules of a row: few rectangles instead of many squares."""
    x = 0
    for is_dark, run in groupby(row):
        width = len(list(run))
        if is_dark:
            yield x, y, width, 1
        x += width


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
