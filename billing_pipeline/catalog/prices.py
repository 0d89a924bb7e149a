"""Price models of a plan: the closed set, each with its own parameters."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from billing_pipeline.vocabulary.configuration import Configuration, Key
from billing_pipeline.vocabulary.proration import ProrationRule

Amount = Annotated[Decimal, Field(max_digits=28, decimal_places=10)]
Units = Annotated[Decimal, Field(ge=0, max_digits=28, decimal_places=10)]


class _Price(Configuration):
    """What every price has: its product and its validity in local days."""

    key: Key
    product: Key
    valid_from: dt.date = dt.date(2000, 1, 1)
    valid_until: dt.date | None = None

    @model_validator(mode="after")
    def _validity_is_a_span(self) -> "_Price":
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise ValueError("valid_until must be after valid_from; it is the day after the last")
        return self


class FlatPrice(_Price):
    """A fee per billing period and unit of subscription quantity."""

    model: Literal["flat"]
    amount: Amount
    timing: Literal["advance", "arrears"] = "advance"
    proration: ProrationRule = "actual_days"
    cancel_day: Literal["exclusive", "inclusive"] = Field(
        default="exclusive", description="whether the day a subscription ends on is still charged"
    )


class OneTimePrice(_Price):
    """A fee charged once, on the first day of the subscription."""

    model: Literal["one_time"]
    amount: Amount


class Selector(Configuration):
    """Which usage events a price takes. Empty fields take everything."""

    usage_type: str
    direction: str | None = None
    attributes: dict[str, str] = {}


class Increment(Configuration):
    """How one event's measured quantity becomes billable units.

    `free_initial` units are taken off first; what is left is raised to `minimum`, then rounded
    up to the next `increment`. "30/6" is minimum 30, increment 6.
    """

    minimum: Units = Decimal(0)
    increment: Annotated[Decimal, Field(gt=0, max_digits=28, decimal_places=10)] = Decimal(1)
    free_initial: Units = Decimal(0)


class _UsagePrice(_Price):
    """What every usage price has: the events it applies to and its place in the order."""

    applies_to: Selector
    priority: int = Field(default=100, description="lower is tried first")


class PerUnitUsage(_UsagePrice):
    """A price per pricing unit of usage, event by event."""

    model: Literal["per_unit"]
    amount: Amount
    pricing_unit: Units = Field(default=Decimal(1), gt=0, description="measured units per price")
    unit: str = Field(default="", description="name of the pricing unit, for people")
    increments: Increment = Increment()
    connection_fee: Amount = Decimal(0)


class RateCardUsage(_UsagePrice):
    """A price by the longest prefix of the destination, and a supplier's cost where known."""

    model: Literal["rate_card"]
    card: Key
    cost_deck: Key | None = None


class Tier(Configuration):
    """One slice: units up to and including `up_to` (None: open) at `amount` each."""

    up_to: Units | None = None
    amount: Amount
    flat_fee: Amount = Decimal(0)


class GraduatedUsage(_UsagePrice):
    """Each slice of the period's usage at its own tier's price."""

    model: Literal["graduated"]
    tiers: Annotated[list[Tier], Field(min_length=1)]
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""

    @model_validator(mode="after")
    def _tiers_rise(self) -> "GraduatedUsage":
        bounds = [tier.up_to for tier in self.tiers]
        closed = [bound for bound in bounds[:-1] if bound is not None]
        if len(closed) != len(bounds) - 1:
            raise ValueError("only the last tier may be open-ended (no up_to)")
        rising = [*closed, *([bounds[-1]] if bounds[-1] is not None else [])]
        if any(later <= earlier for earlier, later in pairwise(rising)):
            raise ValueError("tiers must have rising up_to")
        return self


class PercentileUsage(_UsagePrice):
    """Burstable bandwidth: sort the period's samples, drop the top, bill the next.

    Inbound and outbound series are judged separately and the greater is billed; a missing
    sample counts as absent. `commit` units are billed at least.
    """

    model: Literal["percentile"]
    percentile: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(95)
    amount: Amount
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""
    commit: Units = Decimal(0)


class LatestUsage(_UsagePrice):
    """The last reported count of the period at a price each (licences, seats)."""

    model: Literal["latest"]
    amount: Amount
    unit: str = ""


class CarriedUsage(_UsagePrice):
    """The price stands in the usage record; `markup_percent` is added to it."""

    model: Literal["carried"]
    markup_percent: Amount = Decimal(0)


UsagePrice = (
    PerUnitUsage | RateCardUsage | GraduatedUsage | PercentileUsage | LatestUsage | CarriedUsage
)
Price = Annotated[
    FlatPrice
    | OneTimePrice
    | PerUnitUsage
    | RateCardUsage
    | GraduatedUsage
    | PercentileUsage
    | LatestUsage
    | CarriedUsage,
    Field(discriminator="model"),
]
