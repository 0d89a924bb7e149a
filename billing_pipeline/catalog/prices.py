"""Price models of a plan: the closed set, each with its own parameters."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from billing_pipeline.catalog.period_prices import (
    GraduatedUsage,
    LatestUsage,
    MeteredUsage,
    PackageUsage,
    PercentileUsage,
    ThresholdUsage,
    VolumeUsage,
)
from billing_pipeline.catalog.price_terms import (
    Amount,
    BasePrice,
    BaseUsagePrice,
    Digits,
    Increment,
    Maximum,
    Selector,
    Tier,
    TieredUsage,
    Units,
)
from billing_pipeline.catalog.rate_cards import SPLIT_ROUNDS_UP, ChargedBy, TimeBand
from billing_pipeline.vocabulary.configuration import Configuration, Key
from billing_pipeline.vocabulary.proration import ProrationRule

__all__ = [
    "Amount",
    "GraduatedUsage",
    "Increment",
    "LatestUsage",
    "MeteredUsage",
    "PackageUsage",
    "PercentileUsage",
    "Selector",
    "ThresholdUsage",
    "Tier",
    "Units",
    "VolumeUsage",
]


class Introductory(Configuration):
    """A price for the first billing periods a subscription is charged for."""

    amount: Amount
    periods: int = Field(ge=1)


class FlatPrice(BasePrice):
    """A fee per billing period and unit of subscription quantity."""

    model: Literal["flat"]
    amount: Amount
    unit: str = Field(
        default="", description="what one of the quantity is, e.g. seat; the interval if empty"
    )
    introductory: Introductory | None = None
    timing: Literal["advance", "arrears"] = "advance"
    proration: ProrationRule = "actual_days"
    cancel_day: Literal["exclusive", "inclusive"] = Field(
        default="exclusive", description="whether the day a subscription ends on is still charged"
    )


class OneTimePrice(BasePrice):
    """A fee charged once, on the first day of the subscription."""

    model: Literal["one_time"]
    amount: Amount
    unit: str = Field(default="piece", description="what one of the quantity is, for people")


class PerUnitUsage(BaseUsagePrice):
    """A price per pricing unit of usage, event by event."""

    model: Literal["per_unit"]
    amount: Amount
    pricing_unit: Units = Field(default=Decimal(1), gt=0, description="measured units per price")
    unit: str = Field(default="", description="name of the pricing unit, for people")
    increments: Increment = Increment()
    connection_fee: Amount = Decimal(0)
    maximum: Maximum | None = Field(
        default=None, description="no event costs more than this, its fee included"
    )


class RateCardUsage(BaseUsagePrice):
    """A price by the longest prefix of the destination, and a supplier's cost where known."""

    model: Literal["rate_card"]
    card: Key
    cost_deck: Key | None = None
    maximum: Maximum | None = Field(
        default=None, description="no event costs more than this, its fee included"
    )


class CostPlusUsage(BaseUsagePrice):
    """What the supplier takes by its deck, and a margin on it: per cent, and fixed per event."""

    model: Literal["cost_plus"]
    cost_deck: Key
    margin_percent: Annotated[Amount, Field(ge=-100)] = Decimal(0)
    fixed: Amount = Decimal(0)


class BandPrice(TimeBand):
    """A time band with its price."""

    amount: Amount
    connection_fee: Amount = Decimal(0)


class TimeOfDayUsage(BaseUsagePrice):
    """A price by time of day, weekday, public holiday and season; `amount` outside all bands."""

    model: Literal["time_of_day"]
    amount: Amount
    bands: Annotated[list[BandPrice], Field(min_length=1)]
    holidays: list[dt.date] = []
    charged_by: ChargedBy = "start"
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""
    increments: Increment = Increment()
    connection_fee: Amount = Decimal(0)

    @model_validator(mode="after")
    def _bands_are_apart(self) -> Self:
        keys = [band.key for band in self.bands]
        if len(set(keys)) < len(keys):
            raise ValueError("two bands have the same key")
        if self.charged_by == "split" and not self.increments.rounds_up_only:
            raise ValueError(SPLIT_ROUNDS_UP)
        return self


class ZonePrice(Configuration):
    """What usage from one zone to another costs; a zone left out is any."""

    origin: Key | None = None
    destination: Key | None = None
    amount: Amount
    connection_fee: Amount = Decimal(0)


class ZoneMatrixUsage(BaseUsagePrice):
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


class PerEventStepsUsage(TieredUsage):
    """Each slice of one event at its own tier's price; tiers begin again at every event."""

    model: Literal["per_event_steps"]
    connection_fee: Amount = Decimal(0)


class CarriedUsage(BaseUsagePrice):
    """The price stands in the usage record; `markup_percent` is added to it.

    A record carries what it costs in all, or the price of a pricing unit: then the units of one
    price are added up before they are priced.
    """

    model: Literal["carried"]
    carries: Literal["amount", "unit_price"] = "amount"
    markup_percent: Amount = Decimal(0)
    pricing_unit: Units = Field(default=Decimal(1), gt=0, description="for carries: unit_price")
    unit: str = ""


class PercentageUsage(BaseUsagePrice):
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


class PluginUsage(BaseUsagePrice):
    """A price model of your own, registered as `billing_pipeline.price_models` entry point."""

    model: Literal["plugin"]
    plugin: str = Field(description="name of the entry point")
    settings: dict[str, str] = Field(default={}, description="what the model asks for")
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""


EventPrice = (
    PerUnitUsage
    | RateCardUsage
    | CostPlusUsage
    | TimeOfDayUsage
    | CarriedUsage
    | PercentageUsage
    | ZoneMatrixUsage
    | PerEventStepsUsage
    | PluginUsage
)
"""Prices whose events have an amount each."""

CumulativePrice = GraduatedUsage | VolumeUsage | ThresholdUsage | PackageUsage
"""Prices of the whole quantity of a billing period."""

PeriodPrice = CumulativePrice | PercentileUsage | LatestUsage | MeteredUsage
"""Prices of a billing period as a whole; an event of them has no amount."""

UsagePrice = EventPrice | PeriodPrice
Price = Annotated[FlatPrice | OneTimePrice | UsagePrice, Field(discriminator="model")]
