"""A price by time of day, weekday, public holiday and season.

Worked example: 0.10 a minute, weekends and holidays 0.04, weekday evenings from 19:00 0.06. On
Friday 25 December 2026, a holiday, 90 s cost 90 x 0.04 / 60 = 0.06 at any hour.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.price_terms import Rounded
from billing_pipeline.catalog.prices import TimeOfDayUsage
from billing_pipeline.catalog.rate_cards import RateCard, TimeBand
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.rating.cards import FlattenedCard, flattened_card
from billing_pipeline.rating.models.apart import priced_apart
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.priced import completed
from billing_pipeline.rating.spans import priced_by_card
from billing_pipeline.rating.terms import NO_INCREMENT
from billing_pipeline.rating.time_bands import ANY_TIME

ALWAYS = dt.date(1, 1, 1)
"""The card has no days of its own: whether its price is in force is known before."""

_TERMS = {
    "amount", "bands", "holidays", "charged_by", "pricing_unit", "increments", "connection_fee",
}  # fmt: skip
_EVERYWHERE = ""
_ANY_NUMBER = 0


@dataclass(frozen=True)
class TimeOfDayPricing:
    """Each price by the card that stands for it: one whose only prefix is any number."""

    cards: tuple[str, ...]

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Price each event by the band of its start, or band by band."""
        anywhere = events.with_columns(number=pl.lit(_ANY_NUMBER, dtype=pl.Int64))
        priced = priced_apart(
            anywhere, self.cards, lambda part, key: priced_by_card(part, cards[key])
        )
        nothing = pl.lit(None, dtype=pl.String)
        return completed(priced.with_columns(rate_name=nothing, rate_prefix=nothing))


def card_key(price: TimeOfDayUsage) -> str:
    """Key of the card that stands for a price: what it says, so that equal prices share one."""
    return price.model_dump_json(include={"key", *_TERMS})


def price_as_card(price: TimeOfDayUsage, time_zone: str) -> FlattenedCard:
    """The card that stands for a price, flattened."""
    plain = set(TimeBand.model_fields)
    card = RateCard(
        key=price.key,
        kind="retail",
        currency="XXX",
        pricing_unit=price.pricing_unit,
        bands=[TimeBand.model_validate(band.model_dump(include=plain)) for band in price.bands],
        holidays=price.holidays,
        charged_by=price.charged_by,
        **price.increments.model_dump(include=set(Rounded.model_fields)),
    )
    priced = [
        (ANY_TIME, price.amount, price.connection_fee),
        *((band.key, band.amount, band.connection_fee) for band in price.bands),
    ]
    rows = [
        {
            "card_key": price.key,
            "valid_from": ALWAYS,
            "valid_until": None,
            "prefix": _EVERYWHERE,
            "band": band,
            "name": price.key,
            "unit_price": amount,
            "connection_fee": fee,
            "minimum_units": price.increments.minimum,
            "increment_units": price.increments.increment or NO_INCREMENT,
        }
        for band, amount, fee in priced
    ]
    table = pl.DataFrame(rows, schema=RATE_CARD_PRICES.polars_schema)
    return flattened_card(card, table, time_zone)


def prepare(prices: Sequence[TimeOfDayUsage]) -> TimeOfDayPricing:
    """Note the card that stands for each price."""
    return TimeOfDayPricing(tuple(card_key(price) for price in prices))


TIME_OF_DAY = EventModel("time_of_day", prepare)
