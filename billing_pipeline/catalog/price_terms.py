"""What prices share: validity, selectors, increments, tiers, introductory fees."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from billing_pipeline.catalog.time_windows import TimeWindow
from billing_pipeline.vocabulary.configuration import Configuration, Key

Amount = Annotated[Decimal, Field(max_digits=28, decimal_places=10)]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
Units = Annotated[Decimal, Field(ge=0, max_digits=28, decimal_places=10)]
Maximum = Annotated[Amount, Field(ge=0)]


def _written(value: object) -> object:
    """Numbers and days as text, as JSON keeps them, so that terms are the same after storage."""
    if isinstance(value, dict):
        return {str(key): _written(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_written(item) for item in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


Terms = Annotated[dict[str, JsonValue], BeforeValidator(_written)]
"""Fields of a price that somebody, or some time, has otherwise."""

FIXED_TERMS = frozenset({"key", "product", "model", "valid_from", "valid_until"})
"""What makes a price the price it is: no terms change it."""


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
    destinations: list[Digits] = Field(
        default=[], description="beginnings of destinations, one of which the event's must have"
    )
    times: list[TimeWindow] = Field(
        default=[], description="windows, in one of which the event must begin, in local time"
    )
    holidays: list[dt.date] = Field(default=[], description="public holidays, for the times")

    @model_validator(mode="after")
    def _holidays_have_times(self) -> Self:
        if self.holidays and not self.times:
            raise ValueError("holidays say nothing without times")
        return self


class CountedAs(Configuration):
    """Events of up to `up_to` measured units, and more than the band before, count as `units`."""

    up_to: Annotated[Units, Field(gt=0)]
    units: Units


Rounding = Literal["up", "down", "nearest"]
"""Which multiple of its increment an event is billed; of two that are as near the greater."""


class Rounded(Configuration):
    """What is taken off an event first, and how the rest of it is rounded.

    `free_initial` units are taken off. What is left counts as its band of `counted_as` says ("30
    to 60 s becomes 60"); past the last band it is raised to the minimum and rounded to a multiple
    of the increment.
    """

    free_initial: Units = Decimal(0)
    rounding: Rounding = "up"
    counted_as: list[CountedAs] = Field(default=[], description="bands of rising up_to")

    @property
    def rounds_up_only(self) -> bool:
        """Whether spans of an event can be rounded one by one."""
        return self.rounding == "up" and not self.counted_as

    @model_validator(mode="after")
    def _bands_rise(self) -> Self:
        bounds = [band.up_to for band in self.counted_as]
        if any(later <= earlier for earlier, later in pairwise(bounds)):
            raise ValueError("counted_as must have rising up_to")
        return self


class Increment(Rounded):
    """How one event's measured quantity becomes billable units.

    `free_initial` units are taken off first; what is left is raised to `minimum`, then rounded,
    up unless `rounding` says otherwise, to a multiple of `increment`. "30/6" is minimum 30,
    increment 6. Without an increment time is rounded to whole seconds, and everything else is
    billed as measured.
    """

    minimum: Units = Decimal(0)
    increment: Annotated[Decimal, Field(gt=0, max_digits=28, decimal_places=10)] | None = None


class IntroductoryTerms(Configuration):
    """What a usage price says otherwise in the first billing periods that are charged."""

    periods: int = Field(ge=1, description="billing periods, counted from the end of a trial")
    terms: Annotated[Terms, Field(min_length=1)] = Field(
        description="what differs, e.g. {amount: 0.01}"
    )

    @model_validator(mode="after")
    def _leaves_the_price_what_it_is(self) -> Self:
        fixed = (FIXED_TERMS | {"applies_to", "priority", "introductory"}) & self.terms.keys()
        if fixed:
            raise ValueError(f"introductory terms cannot change {sorted(fixed)}")
        return self


class BaseUsagePrice(BasePrice):
    """What every usage price has: the events it applies to and its place in the order."""

    applies_to: Selector
    priority: int = Field(default=100, description="lower is tried first")
    period_maximum: Maximum | None = Field(
        default=None, description="a billing period never owes more, after discounts"
    )
    introductory: IntroductoryTerms | None = Field(
        default=None, description="a teaser: other terms in the first billing periods"
    )

    def introduced(self) -> Self:
        """The price as it is in its introductory periods.

        Raises: pydantic.ValidationError if the introductory terms do not fit the model.
        """
        terms = {} if self.introductory is None else self.introductory.terms
        own = self.model_dump(exclude_unset=True, exclude={"introductory"})
        return type(self).model_validate({**own, **terms})

    @model_validator(mode="after")
    def _introductory_terms_fit(self) -> Self:
        if self.introductory is not None:
            try:
                self.introduced()
            except ValidationError as error:
                wrong = error.errors()[0]
                place = ".".join(str(step) for step in wrong["loc"])
                message = f"introductory terms do not fit: {place} {wrong['msg']}"
                raise ValueError(message) from None
        return self


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
        description="units past a bounded last tier: at its price, free, or refused: the event is"
        " suspended, or the bill of the period is held",
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
