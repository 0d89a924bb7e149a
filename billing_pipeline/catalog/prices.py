"""Price models of a plan: the closed set, each with its own parameters."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from billing_pipeline.vocabulary.configuration import Configuration, Key
from billing_pipeline.vocabulary.proration import ProrationRule

Amount = Annotated[Decimal, Field(max_digits=28, decimal_places=10)]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
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
    unit: str = Field(
        default="", description="what one of the quantity is, e.g. seat; the interval if empty"
    )
    timing: Literal["advance", "arrears"] = "advance"
    proration: ProrationRule = "actual_days"
    cancel_day: Literal["exclusive", "inclusive"] = Field(
        default="exclusive", description="whether the day a subscription ends on is still charged"
    )


class OneTimePrice(_Price):
    """A fee charged once, on the first day of the subscription."""

    model: Literal["one_time"]
    amount: Amount
    unit: str = Field(default="piece", description="what one of the quantity is, for people")


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
    maximum: Annotated[Amount, Field(ge=0)] | None = Field(
        default=None, description="no event costs more than this, its fee included"
    )


class RateCardUsage(_UsagePrice):
    """A price by the longest prefix of the destination, and a supplier's cost where known."""

    model: Literal["rate_card"]
    card: Key
    cost_deck: Key | None = None


class ZonePrice(Configuration):
    """What usage from one zone to another costs; a zone left out is any."""

    origin: Key | None = None
    destination: Key | None = None
    amount: Amount
    connection_fee: Amount = Decimal(0)


class ZoneMatrixUsage(_UsagePrice):
    """A price by the zones of origin and destination, each told by its longest prefix."""

    model: Literal["zone_matrix"]
    zones: dict[Key, Annotated[list[Digits], Field(min_length=1)]]
    prices: Annotated[list[ZonePrice], Field(min_length=1)]
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""
    increments: Increment = Increment()

    @model_validator(mode="after")
    def _zones_are_known_and_apart(self) -> "ZoneMatrixUsage":
        prefixes = [prefix for listed in self.zones.values() for prefix in listed]
        twice = sorted({prefix for prefix in prefixes if prefixes.count(prefix) > 1})
        if twice:
            raise ValueError(f"prefixes stand in more than one zone: {twice}")
        pairs = [(price.origin, price.destination) for price in self.prices]
        if len(set(pairs)) < len(pairs):
            raise ValueError("a pair of zones has two prices")
        unknown = {zone for pair in pairs for zone in pair if zone is not None} - set(self.zones)
        if unknown:
            raise ValueError(f"prices name no zone {sorted(unknown)}")
        return self


class Tier(Configuration):
    """One slice: units up to and including `up_to` (None: open) at `amount` each."""

    up_to: Units | None = None
    amount: Amount
    flat_fee: Amount = Decimal(0)


class _TieredUsage(_UsagePrice):
    """Tiers over a quantity in pricing units."""

    tiers: Annotated[list[Tier], Field(min_length=1)]
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""
    increments: Increment | None = Field(
        default=None, description="rounding of each event; none is as measured"
    )

    @model_validator(mode="after")
    def _tiers_rise(self) -> Self:
        bounds = [tier.up_to for tier in self.tiers]
        closed = [bound for bound in bounds[:-1] if bound is not None]
        if len(closed) != len(bounds) - 1:
            raise ValueError("only the last tier may be open-ended (no up_to)")
        rising = [*closed, *([bounds[-1]] if bounds[-1] is not None else [])]
        if any(later <= earlier for earlier, later in pairwise(rising)):
            raise ValueError("tiers must have rising up_to")
        return self


class GraduatedUsage(_TieredUsage):
    """Each slice of the period's usage at its own tier's price."""

    model: Literal["graduated"]


class VolumeUsage(_TieredUsage):
    """All of the period's usage at the price of the tier it reaches."""

    model: Literal["volume"]


class ThresholdUsage(_TieredUsage):
    """One amount for the whole period: that of the tier its usage reaches."""

    model: Literal["threshold"]


class PerEventStepsUsage(_TieredUsage):
    """Each slice of one event at its own tier's price; tiers begin again at every event."""

    model: Literal["per_event_steps"]
    connection_fee: Amount = Decimal(0)


class PackageUsage(_UsagePrice):
    """The period's usage in whole blocks of `size` pricing units; a started block is owed."""

    model: Literal["package"]
    size: Annotated[Decimal, Field(gt=0, max_digits=28, decimal_places=10)]
    amount: Amount
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""
    increments: Increment | None = None


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


class PercentageUsage(_UsagePrice):
    """A part of the amount that the usage record carries, such as a payment.

    The amount of an event is `percent` of it plus `fixed`, not below `minimum` and not above
    `maximum`. It costs the same whichever way the money went: the sign of the carried amount
    is taken off before and put back after.
    """

    model: Literal["percentage"]
    percent: Annotated[Amount, Field(ge=0)]
    fixed: Annotated[Amount, Field(ge=0)] = Decimal(0)
    minimum: Annotated[Amount, Field(ge=0)] = Decimal(0)
    maximum: Annotated[Amount, Field(ge=0)] | None = None
    unit: str = ""

    @property
    def pricing_unit(self) -> Decimal:
        """Events count as measured."""
        return Decimal(1)

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> "PercentageUsage":
        if self.maximum is not None and self.maximum < self.minimum:
            raise ValueError("maximum is below minimum")
        return self


class PluginUsage(_UsagePrice):
    """A price model of your own, registered as `billing_pipeline.price_models` entry point."""

    model: Literal["plugin"]
    plugin: str = Field(description="name of the entry point")
    settings: dict[str, str] = Field(default={}, description="what the model asks for")
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""


EventPrice = (
    PerUnitUsage
    | RateCardUsage
    | CarriedUsage
    | PercentageUsage
    | ZoneMatrixUsage
    | PerEventStepsUsage
    | PluginUsage
)
"""Prices whose events have an amount each."""

CumulativePrice = GraduatedUsage | VolumeUsage | ThresholdUsage | PackageUsage
"""Prices of the whole quantity of a billing period."""

UsagePrice = EventPrice | CumulativePrice | PercentileUsage | LatestUsage
Price = Annotated[
    FlatPrice | OneTimePrice | EventPrice | CumulativePrice | PercentileUsage | LatestUsage,
    Field(discriminator="model"),
]
