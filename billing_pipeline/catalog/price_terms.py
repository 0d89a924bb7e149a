"""What prices share: validity, selectors, increments, tiers, introductory fees."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from billing_pipeline.vocabulary.configuration import Configuration, Key

Amount = Annotated[Decimal, Field(max_digits=28, decimal_places=10)]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
Units = Annotated[Decimal, Field(ge=0, max_digits=28, decimal_places=10)]
Maximum = Annotated[Amount, Field(ge=0)]


class BasePrice(Configuration):
    """What every price has: its product and its validity in local days."""

    key: Key
    product: Key
    valid_from: dt.date = dt.date(2000, 1, 1)
    valid_until: dt.date | None = None

    @model_validator(mode="after")
    def _validity_is_a_span(self) -> "BasePrice":
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise ValueError("valid_until must be after valid_from; it is the day after the last")
        return self


class Selector(Configuration):
    """Which usage events a price takes. Empty fields take everything."""

    usage_type: str
    direction: str | None = None
    attributes: dict[str, str] = {}


class Increment(Configuration):
    """How one event's measured quantity becomes billable units.

    `free_initial` units are taken off first; what is left is raised to `minimum`, then rounded
    up to the next `increment`. "30/6" is minimum 30, increment 6. Without an increment time is
    rounded up to whole seconds, and everything else is billed as measured.
    """

    minimum: Units = Decimal(0)
    increment: Annotated[Decimal, Field(gt=0, max_digits=28, decimal_places=10)] | None = None
    free_initial: Units = Decimal(0)


class BaseUsagePrice(BasePrice):
    """What every usage price has: the events it applies to and its place in the order."""

    applies_to: Selector
    priority: int = Field(default=100, description="lower is tried first")
    period_maximum: Maximum | None = Field(
        default=None, description="a billing period never owes more, after discounts"
    )


class Tier(Configuration):
    """One slice: units up to and including `up_to` (None: open) at `amount` each."""

    up_to: Units | None = None
    amount: Amount
    flat_fee: Amount = Decimal(0)


def must_rise(tiers: Sequence[Tier]) -> None:
    """Refuse tiers whose bounds do not rise, or with an open one before the last.

    Raises: ValueError with what is wrong.
    """
    bounds = [tier.up_to for tier in tiers]
    closed = [bound for bound in bounds if bound is not None]
    if None in bounds[:-1]:
        raise ValueError("only the last tier may be open-ended (no up_to)")
    if any(later <= earlier for earlier, later in pairwise(closed)):
        raise ValueError("tiers must have rising up_to")


class TieredUsage(BaseUsagePrice):
    """Tiers over a quantity in pricing units."""

    tiers: Annotated[list[Tier], Field(min_length=1)]
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""
    increments: Increment | None = Field(
        default=None, description="rounding of each event; none is as measured"
    )
    beyond: Literal["last", "free", "refuse"] = Field(
        default="last",
        description="units past a bounded last tier: at its price, free, or (one event) refused",
    )

    @property
    def priced_up_to(self) -> Decimal | None:
        """Measured units past which nothing is owed; None is no such bound."""
        bound = self.tiers[-1].up_to
        return None if bound is None or self.beyond == "last" else bound * self.pricing_unit

    @model_validator(mode="after")
    def _tiers_rise(self) -> Self:
        must_rise(self.tiers)
        return self
