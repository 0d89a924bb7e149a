"""Parts of the one model of a document that not every document has."""

from dataclasses import dataclass
from decimal import Decimal

_SHOWN_DIGITS = 4


@dataclass(frozen=True)
class ServiceTotal:
    """What one subscription comes to on the document; charges of none stand together."""

    subscription_key: str | None
    account_key: str
    lines: int
    net_minor: int


@dataclass(frozen=True)
class TierUsed:
    """A slice of usage at one tier's price; `up_to` None is open. `amount` is exact."""

    above: Decimal
    up_to: Decimal | None
    units: Decimal
    unit_price: Decimal
    flat_fee: Decimal
    amount: Decimal


@dataclass(frozen=True)
class TieredLine:
    """A usage line and the slices that explain its net."""

    description: str
    unit: str
    quantity: Decimal
    net_minor: int
    slices: tuple[TierUsed, ...]


@dataclass(frozen=True)
class Mandate:
    """The direct debit an amount is collected by: BT-89, BT-90 and BT-91 of EN 16931."""

    reference: str
    creditor_identifier: str
    debited_iban: str

    @property
    def masked_iban(self) -> str:
        """The debited account as it is printed: enough to know it, too little to use it."""
        plain = self.debited_iban.replace(" ", "")
        return f"{plain[:2]}** … {plain[-_SHOWN_DIGITS:]}"
