"""Rate cards and supplier decks: what stands beside the CSV (`rate_cards.yaml`)."""

import datetime as dt
from decimal import Decimal
from typing import Literal

from pydantic import Field

from billing_pipeline.catalog.prices import Units
from billing_pipeline.vocabulary.configuration import Configuration, CurrencyCode, Key

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class TimeBand(Configuration):
    """Hours of the week in the tenant's zone. The first band that fits the start prices a call."""

    key: Key
    weekdays: list[Weekday] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    from_time: dt.time = dt.time(0)
    until_time: dt.time = Field(default=dt.time(0), description="exclusive; 00:00 is midnight")


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


class RateCards(Configuration):
    """The file `rate_cards.yaml`."""

    rate_cards: list[RateCard] = []
