"""Rate cards and supplier decks: what stands beside the CSV (`rate_cards.yaml`)."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from billing_pipeline.catalog.price_terms import Rounded, Units
from billing_pipeline.catalog.time_windows import TimeWindow
from billing_pipeline.vocabulary.configuration import Configuration, CurrencyCode, Key

ChargedBy = Literal["start", "split"]


SPLIT_ROUNDS_UP = "spans of a split call are rounded up; leave out rounding and counted_as"


class TimeBand(TimeWindow):
    """A window of time with a name. Of several bands that fit the first one holds."""

    key: Key


class CardExample(Configuration):
    """A call and what it must cost by a card: a card whose examples do not hold is refused."""

    destination: str
    quantity: Annotated[Decimal, Field(gt=0)] = Decimal(60)
    at: dt.datetime = Field(description="local time of the call in the tenant's zone")
    amount: Decimal | None = Field(description="what it costs; null if it cannot be called")


class RateCard(Rounded):
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

    @model_validator(mode="after")
    def _spans_are_rounded_up(self) -> Self:
        if self.charged_by == "split" and not self.rounds_up_only:
            raise ValueError(SPLIT_ROUNDS_UP)
        return self


class RateCards(Configuration):
    """The file `rate_cards.yaml`."""

    rate_cards: list[RateCard] = []
