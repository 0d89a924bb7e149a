"""The one model of a document: HTML, PDF, e-invoice, CSV and JSON are written from it alone.

Figures stand as they are printed: on a credit note, what is credited is positive.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import polars as pl

from billing_pipeline.customers.tenant import Branding, EInvoiceProfile, PaymentMethod
from billing_pipeline.invoicing.document_parts import Mandate, ServiceTotal, TieredLine
from billing_pipeline.vocabulary.money import minor_exponent

ONE_DAY = dt.timedelta(days=1)
_ADJUSTING = ("discount", "minimum", "termination")
_FEWEST_DECIMALS, _MOST_DECIMALS = 2, 10


@dataclass(frozen=True)
class Party:
    """Seller or buyer as the law wants them on the document."""

    name: str
    street: str
    city: str
    postal_code: str
    region: str | None
    country: str
    vat_number: str | None = None
    tax_number: str | None = None
    registration: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    electronic_address: str | None = None


@dataclass(frozen=True)
class Line:
    """One printed line. `unit_price` is given only where quantity times price is the net."""

    line_number: int
    charge_kind: str
    description: str
    subscription_key: str | None
    service_from: dt.date
    service_until: dt.date
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    net_minor: int
    tax_code: str
    tax_rate: Decimal
    corrects_invoice: str | None

    @property
    def service_to(self) -> dt.date:
        """Last day of service, as it is printed."""
        return max(self.service_from, self.service_until - ONE_DAY)

    def printed_quantity(self, currency: str) -> Decimal:
        """The quantity with as few decimals, from two on, as let it multiply to the net.

        The exact quantity stands in the e-invoice, JSON and itemisation.
        """
        for places in range(_FEWEST_DECIMALS, _MOST_DECIMALS):
            shown = self.quantity.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
            if self._explains(shown, currency):
                whole = shown.to_integral_value()
                return whole if whole == shown else shown
        return self.quantity

    def _explains(self, shown: Decimal, currency: str) -> bool:
        if self.unit_price is None:
            return bool(shown) or not self.quantity
        net = (shown * self.unit_price).scaleb(minor_exponent(currency))
        return abs(net.quantize(Decimal(1), ROUND_HALF_UP)) == abs(self.net_minor)


@dataclass(frozen=True)
class Section:
    """The lines of one billing account; the payer's own section comes first."""

    account_key: str
    name: str
    lines: tuple[Line, ...]

    @property
    def net_minor(self) -> int:
        """Sum of the section's line nets."""
        return sum(line.net_minor for line in self.lines)


@dataclass(frozen=True)
class StackedTax:
    """One of the taxes that stand beside each other in a group."""

    label: str
    percent: Decimal
    tax_minor: int


@dataclass(frozen=True)
class ConvertedTax:
    """The tax of the document in the currency the seller accounts it in, and by which rate."""

    currency: str
    tax_minor: int
    rate: Decimal
    day: dt.date
    source: str


@dataclass(frozen=True)
class TaxGroup:
    """Tax of one code and rate over the whole document."""

    tax_code: str
    tax_rate: Decimal
    label: str
    exemption: str | None
    base_minor: int
    tax_minor: int
    parts: tuple[StackedTax, ...] = ()


@dataclass(frozen=True)
class PaymentDetails:
    """How, where and with which reference the amount is to be paid.

    What is collected needs no account to pay to.
    """

    reference: str
    bank_name: str | None = None
    iban: str | None = None
    bic: str | None = None
    bank_account: str | None = None
    method: PaymentMethod = "bank_transfer"
    mandate: Mandate | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is an account to pay to."""
        return bool(self.iban or self.bank_account)


@dataclass(frozen=True)
class Statement:
    """The account's balance before and after a document, as the customer owes it.

    It was kept when the document was issued, so it prints the same for ever.
    """

    carried_minor: int
    paid_minor: int
    written_off_minor: int
    total_minor: int
    closing_minor: int


@dataclass(frozen=True)
class UsageTotal:
    """Usage of one kind on the document: a destination or rate, or one local day."""

    label: str
    events: int
    billable_units: Decimal
    amount: Decimal


@dataclass(frozen=True)
class DailyUsage:
    """Usage of one local day."""

    day: dt.date
    events: int
    amount: Decimal


@dataclass(frozen=True, eq=False)
class InvoiceDocument:
    """An issued invoice or credit note with everything that may be printed about it.

    `itemisation` is the RATED_USAGE behind the document, in order of account and time; empty
    where there is none. Amounts ending in `_minor` are minor units of `currency`.
    """

    invoice_key: str
    invoice_number: str
    kind: Literal["invoice", "credit_note"]
    tenant_key: str
    brand: str
    branding: Branding
    locale: str
    time_zone: str
    issue_date: dt.date
    due_date: dt.date
    period_from: dt.date
    period_until: dt.date
    currency: str
    seller: Party
    buyer: Party
    account_key: str
    sections: tuple[Section, ...]
    taxes: tuple[TaxGroup, ...]
    net_minor: int
    tax_minor: int
    total_minor: int
    payment: PaymentDetails
    corrects_invoice: str | None
    usage_totals: tuple[UsageTotal, ...]
    daily_usage: tuple[DailyUsage, ...]
    itemisation: pl.DataFrame
    converted_tax: ConvertedTax | None = None
    buyer_reference: str | None = None
    einvoice_profile: EInvoiceProfile = "en16931"
    statement: Statement | None = None
    tiers: tuple[TieredLine, ...] = ()

    @property
    def period_to(self) -> dt.date:
        """Last day of service on the document."""
        return max(self.period_from, self.period_until - ONE_DAY)

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines in printing order."""
        return tuple(line for section in self.sections for line in section.lines)

    @property
    def services(self) -> tuple[ServiceTotal, ...]:
        """What each subscription comes to, in printing order; they sum to the net."""
        found: dict[tuple[str, str | None], list[Line]] = {}
        for section in self.sections:
            for line in section.lines:
                found.setdefault((section.account_key, line.subscription_key), []).append(line)
        return tuple(
            ServiceTotal(key, account, len(lines), sum(line.net_minor for line in lines))
            for (account, key), lines in found.items()
        )

    @property
    def adjustments(self) -> tuple[Line, ...]:
        """Lines that change what was charged elsewhere: discounts, minimum fees, corrections."""
        return tuple(
            line for line in self.lines if line.corrects_invoice or line.charge_kind in _ADJUSTING
        )

    @property
    def is_credit_note(self) -> bool:
        """Whether the document gives money back."""
        return self.kind == "credit_note"

    @property
    def corrected_invoices(self) -> tuple[str, ...]:
        """Numbers of all documents that lines of this one correct, sorted."""
        named = {line.corrects_invoice for line in self.lines if line.corrects_invoice}
        return tuple(sorted(named))
