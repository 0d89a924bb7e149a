"""Rate cards and supplier decks: what stands beside the CSV (`rate_cards.yaml`)."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from billing_pipeline.catalog.price_terms import Units
from billing_pipeline.vocabulary.configuration import Configuration, CurrencyCode, Key

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
YearDay = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
"""A day of any year: month and day, as in 12-24."""

ChargedBy = Literal["start", "split"]


class TimeBand(Configuration):
    """Hours of some days in the tenant's zone. Of several bands that fit the first one holds.

    On a public holiday of the card a band holds that names `holiday`, or all seven weekdays. A
    season is from one day of the year to before another, and may span the turn of the year.
    """

    key: Key
    weekdays: list[Weekday] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    from_time: dt.time = dt.time(0)
    until_time: dt.time = Field(default=dt.time(0), description="exclusive; 00:00 is midnight")
    from_day: YearDay | None = Field(default=None, description="first day of its season: 06-01")
    until_day: YearDay | None = Field(default=None, description="day after the last: 09-01")

    @model_validator(mode="after")
    def _season_is_whole(self) -> Self:
        if (self.from_day is None) != (self.until_day is None):
            raise ValueError("give both from_day and until_day, or neither")
        return self


class CardExample(Configuration):
    """A call and what it must cost by a card: a card whose examples do not hold is refused."""

    destination: str
    quantity: Annotated[Decimal, Field(gt=0)] = Decimal(60)
    at: dt.datetime = Field(description="local time of the call in the tenant's zone")
    amount: Decimal | None = Field(description="what it costs; null if it cannot be called")


class RateCard(Configuration):
    """One card: rows are in `rate_cards/<key>.csv`.

    The CSV has a header and the columns `prefix, name, unit_price` and optionally
    `connection_fee, minimum_units, increment_units, band, valid_from, valid_until`.
    """

    key: Key
    kind: Literal["retail", "supplier"]
    currency: CurrencyCode
    pricing_unit: Units = Field(default=Decimal(60), gt=0, description="measured units per price")
    minimum_units: Units = Decimal(0)
    increment_units: Units = Field(default=Decimal(1), gt=0)
    bands: list[TimeBand] = []
    holidays: list[dt.date] = Field(default=[], description="public holidays, for the bands")
    highest_price: Units | None = Field(
        default=None, description="a price above it in a deck is taken for a mistake"
    )
    examples: list[CardExample] = Field(default=[], description="calls that must cost so much")
    charged_by: ChargedBy = Field(
        default="start",
        description="a call over several bands: all of it by its start, or split at the bounds",
    )


class RateCards(Configuration):
    """The file `rate_cards.yaml`."""

    rate_cards: list[RateCard] = []
