"""Models that are priced over the billing period: an event only says what it measured.

Worked example: 7 API calls under graduated tiers are 7 billable units and amount 0; the
period's total is cut at the tiers by `rating.period`. Where a price rounds each event, 61 s
of a 60/60 price are 120 billable units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.prices import PeriodPrice
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.priced import completed
from billing_pipeline.rating.terms import AS_MEASURED, Terms, priced_by, term_row, terms_of_rows
from billing_pipeline.vocabulary.money import AMOUNT


@dataclass(frozen=True)
class OverPeriodPricing:
    """How each price rounds an event; None where no price does."""

    rounding: Terms | None

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Hand the quantity on with amount zero: the period prices, the event waits."""
        del cards
        if self.rounding is None:
            nothing = pl.lit(0, dtype=pl.Int64).cast(AMOUNT)
            return completed(events.select(billable_units="quantity", amount=nothing))
        rounded = priced_by(events, self.rounding, events.get_column("price"))
        return completed(rounded.drop("unit_price", "connection_fee"))


def prepare(prices: Sequence[PeriodPrice]) -> OverPeriodPricing:
    """Note how each price rounds."""
    increments = [getattr(price, "increments", None) for price in prices]
    if not any(increments):
        return OverPeriodPricing(rounding=None)
    rows = [
        term_row(
            amount=Decimal(0),
            pricing_unit=Decimal(1),
            fee=Decimal(0),
            increments=increment or AS_MEASURED,
        )
        for increment in increments
    ]
    return OverPeriodPricing(rounding=terms_of_rows(rows))


OVER_PERIOD = tuple(
    EventModel(name, prepare)
    for name in ("graduated", "volume", "threshold", "package", "percentile", "latest")
)
