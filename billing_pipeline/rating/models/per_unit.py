"""A price per pricing unit, event by event.

Worked example: $0.05 a minute, 60/60, connection fee $0.10; 61 s are two minutes:
120 s x 0.05 / 60 s + 0.10 = $0.20.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.prices import PerUnitUsage
from billing_pipeline.rating.exact import WHOLE, to_whole
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.priced import completed
from billing_pipeline.rating.terms import TERMS, Terms, priced_by, terms_of


@dataclass(frozen=True)
class PerUnitPricing:
    """Terms of all per-unit prices."""

    terms: Terms

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Price each event by its own terms."""
        del cards
        return completed(priced_by(events, self.terms, events.get_column("price")))


def prepare(prices: Sequence[PerUnitUsage]) -> PerUnitPricing:
    """Put the terms of all prices in one table."""
    rows = [
        {
            "unit_price": to_whole(price.amount),
            "pricing_unit": to_whole(price.pricing_unit),
            "connection_fee": to_whole(price.connection_fee),
            "free_initial": to_whole(price.increments.free_initial),
            "minimum": to_whole(price.increments.minimum),
            "increment": to_whole(price.increments.increment),
        }
        for price in prices
    ]
    return PerUnitPricing(terms_of(pl.DataFrame(rows, schema=dict.fromkeys(TERMS, WHOLE))))


PER_UNIT = EventModel("per_unit", prepare)
