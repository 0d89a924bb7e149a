"""What the norm asks for beyond the printed document: codes, and prices that multiply exactly."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from billing_pipeline.invoicing.document import InvoiceDocument, Line, Party
from billing_pipeline.invoicing.document_parts import Mandate
from billing_pipeline.vocabulary.money import from_minor_units, minor_exponent

GUIDELINE = "urn:cen.eu:en16931:2017"
PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_MOST_DECIMALS = 2
_PIECE = "C62"
_UNIT_CODES = {
    **dict.fromkeys(("month", "months", "mo", "monat", "mois"), "MON"),
    **dict.fromkeys(("min", "minute", "minutes"), "MIN"),
    **dict.fromkeys(("s", "sec", "second", "seconds"), "SEC"),
    **dict.fromkeys(("h", "hour", "hours", "stunde"), "HUR"),
    **dict.fromkeys(("day", "days", "tag"), "DAY"),
    **dict.fromkeys(("week", "weeks", "woche"), "WEE"),
    **dict.fromkeys(("year", "years", "jahr"), "ANN"),
    **dict.fromkeys(("quarter", "quarters", "quartal"), "QAN"),
    "kb": "2P",
    "mb": "4L",
    "gb": "E34",
    "tb": "E35",
    "kwh": "KWH",
    "mwh": "MWH",
    "m3": "MTQ",
    "kbit/s": "C74",
    "mbit/s": "E20",
    "gbit/s": "B80",
}
"""UN/ECE Recommendation 20 by the units people write; pieces (C62) for all others."""

EXEMPTION_CODES = {
    "AE": "VATEX-EU-AE",
    "K": "VATEX-EU-IC",
    "G": "VATEX-EU-G",
    "O": "VATEX-EU-O",
}

_SEPA_TRANSFER, _CREDIT_TRANSFER = "58", "30"
_SEPA_DEBIT, _DIRECT_DEBIT = "59", "49"
_AS_AGREED = "1"
"""UNTDID 4461, instrument not defined: a debit or card whose mandate or number is not kept."""
_VAT_PREFIX_LENGTH = 2
_GREECE = "EL"


_GUIDELINES = {
    "en16931": GUIDELINE,
    "xrechnung": f"{GUIDELINE}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
    "peppol": f"{GUIDELINE}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
}
"""Specification identifiers (BT-24). Source: KoSIT XRechnung 3.0, Peppol BIS Billing 3.0."""


class EInvoiceNotPossible(Exception):
    """The norm cannot express this document; it is issued without an e-invoice."""


@dataclass(frozen=True)
class LinePrice:
    """Quantity, price and base quantity with quantity x price / base = line net, exactly."""

    quantity: Decimal
    unit_code: str
    price: Decimal
    base_quantity: Decimal | None


def why_impossible(document: InvoiceDocument) -> str | None:
    """The reason why EN 16931 cannot carry a document, None if it can."""
    if minor_exponent(document.currency) > _MOST_DECIMALS:
        return f"{document.currency} has more than two decimals (BR-DEC)"
    if not (document.seller.vat_number or document.seller.tax_number):
        return "the seller has neither a VAT nor a tax number (BR-S-02, BR-CO-26)"
    return None


def assert_possible(document: InvoiceDocument) -> None:
    """Raises: EInvoiceNotPossible with the reason."""
    reason = why_impossible(document)
    if reason:
        raise EInvoiceNotPossible(f"{document.invoice_number}: {reason}")


def guideline(document: InvoiceDocument) -> str:
    """What the e-invoice claims to comply with (BT-24), by the buyer's or the seller's profile."""
    return _GUIDELINES[document.einvoice_profile]


def buyer_reference(document: InvoiceDocument) -> str:
    """What the buyer wants to find it by (BT-10): its own reference, else its account."""
    return document.buyer_reference or document.account_key


def electronic_address(party: Party) -> tuple[str, str] | None:
    """Scheme and identifier (BT-34, BT-49): `0204:991-1-2` as given, else the e-mail address."""
    if party.electronic_address:
        scheme, _, identifier = party.electronic_address.partition(":")
        return scheme, identifier
    return ("EM", party.email) if party.email else None


def type_code(document: InvoiceDocument) -> Literal["380", "381"]:
    """UNTDID 1001: commercial invoice or credit note."""
    return "381" if document.is_credit_note else "380"


def money(amount_minor: int, currency: str) -> str:
    """An amount as the norm writes it: at most two decimals, no separators."""
    return str(from_minor_units(amount_minor, currency))


def plain(number: Decimal) -> str:
    """A number without exponent and useless zeros."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def vat_identifier(document: InvoiceDocument, party: Party) -> str | None:
    """A party's VAT number, where the norm allows it.

    None outside the scope of VAT (BR-O-02) and for numbers without a country's prefix, such as
    tax numbers of countries without VAT (BR-CO-09).
    """
    if any(group.tax_code == "O" for group in document.taxes) or not party.vat_number:
        return None
    number = party.vat_number.replace(" ", "").upper()
    prefix = number[:_VAT_PREFIX_LENGTH]
    is_prefixed = prefix in (party.country, "XI") or (party.country, prefix) == ("GR", _GREECE)
    return number if is_prefixed else None


def payment_means(document: InvoiceDocument) -> str | None:
    """UNTDID 4461: SEPA debit or transfer in euro, any debit or transfer else; None if unknown."""
    if mandate_of(document) is not None:
        return _SEPA_DEBIT if document.currency == "EUR" else _DIRECT_DEBIT
    if document.payment.method != "bank_transfer" and not document.is_credit_note:
        return _AS_AGREED
    if document.is_credit_note or not document.payment.is_known:
        return None
    is_sepa = document.currency == "EUR" and document.payment.iban
    return _SEPA_TRANSFER if is_sepa else _CREDIT_TRANSFER


def mandate_of(document: InvoiceDocument) -> Mandate | None:
    """What the amount is collected by (BG-19); nothing is collected by a credit note."""
    return None if document.is_credit_note else document.payment.mandate


def payment_account(document: InvoiceDocument) -> str:
    """The account to pay to, without blanks."""
    account = document.payment.iban or document.payment.bank_account or ""
    return account.replace(" ", "")


def payment_terms(document: InvoiceDocument) -> str:
    """Terms in words: a payable document needs a due date or terms (BR-CO-25)."""
    if document.is_credit_note:
        return "Set off against the account"
    return f"Payable by {document.due_date.isoformat()}"


def line_price(line: Line, currency: str) -> LinePrice:
    """The line's price so that a reader's multiplication gives its net to the minor unit.

    Prices are never negative (BR-27): the quantity carries the sign. Where the printed price
    does not multiply to the net (tiers, proration, corrections), the net is the price of the
    whole quantity.
    """
    net = from_minor_units(line.net_minor, currency)
    sign = -1 if net < 0 else 1
    unit_code = _UNIT_CODES.get(line.unit.strip().lower(), _PIECE)
    quantity = abs(line.quantity)
    if quantity == 0:
        return LinePrice(Decimal(sign), _PIECE, abs(net), None)
    is_exact = line.unit_price is not None and abs(line.unit_price) * quantity == abs(net)
    if line.unit_price is not None and is_exact:
        return LinePrice(sign * quantity, unit_code, abs(line.unit_price), None)
    base = None if quantity == 1 else quantity
    return LinePrice(sign * quantity, unit_code, abs(net), base)
