"""A price per pricing unit, event by event.

Worked example: $0.05 a minute, 60/60, connection fee $0.10; 61 s are two minutes:
120 s x 0.05 / 60 s + 0.10 = $0.20. With a maximum of $0.15 the call costs $0.15.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.prices import PerUnitUsage
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.priced import capped, completed
from billing_pipeline.rating.terms import Terms, priced_by, term_row, terms_of_rows
from billing_pipeline.vocabulary.money import AMOUNT


@dataclass(frozen=True)
class PerUnitPricing:
    """Terms of all per-unit prices, and what an event of each costs at most (null: no cap)."""

    terms: Terms
    maximum: pl.Series

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Price each event by its own terms."""
        del cards
        rows = events.get_column("price")
        return capped(completed(priced_by(events, self.terms, rows)), self.maximum, rows)


def prepare(prices: Sequence[PerUnitUsage]) -> PerUnitPricing:
    """Put the terms of all prices in one table."""
    rows = [
        term_row(
            amount=price.amount,
            pricing_unit=price.pricing_unit,
            fee=price.connection_fee,
            fee_on=price.connection_fee_on,
            increments=price.increments,
        )
        for price in prices
    ]
    return PerUnitPricing(
        terms=terms_of_rows(rows),
        maximum=pl.Series("maximum", [price.maximum for price in prices], dtype=AMOUNT),
    )


PER_UNIT = EventModel("per_unit", prepare)
