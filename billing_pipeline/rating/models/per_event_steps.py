"""Tiers that begin again at every event.

Worked example: the first 60 s at 0.10 a minute, the rest at 0.04: a call of 150 s costs
60 x 0.10 / 60 + 90 x 0.04 / 60 = 0.10 + 0.06 = 0.16; ten such calls cost 1.60.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.prices import PerEventStepsUsage
from billing_pipeline.rating.models.apart import priced_apart
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.priced import completed
from billing_pipeline.rating.terms import AS_MEASURED, Terms, priced_by, term_row, terms_of_rows
from billing_pipeline.rating.tiers import tiered_amount


@dataclass(frozen=True)
class PerEventStepsPricing:
    """The configured prices and how each rounds an event; the terms know no unit price."""

    prices: tuple[PerEventStepsUsage, ...]
    terms: Terms

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Cut each event at the tiers of its price; what is taken back costs the same back."""
        del cards
        rounded = priced_by(events, self.terms, events.get_column("price"))
        units = rounded.get_column("billable_units")
        stepped = priced_apart(
            events.select("price", units=units.abs()),
            range(len(self.prices)),
            lambda part, number: _stepped(part, self.prices[number]),
        ).get_column("amount")
        fee = pl.col("amount")  # of a unit price of zero nothing but the fee is left
        return completed(
            rounded.with_columns(
                amount=fee + pl.when(units >= 0).then(stepped).otherwise(-stepped),
                unit_price=pl.lit(None, dtype=pl.Decimal(38, 10)),
            )
        )


def _stepped(events: pl.DataFrame, price: PerEventStepsUsage) -> pl.DataFrame:
    amount = tiered_amount(events.get_column("units"), price.tiers, price.pricing_unit)
    return amount.alias("amount").to_frame()


def prepare(prices: Sequence[PerEventStepsUsage]) -> PerEventStepsPricing:
    """Note tiers, rounding and fee."""
    rows = [
        term_row(
            amount=Decimal(0),
            pricing_unit=price.pricing_unit,
            fee=price.connection_fee,
            increments=price.increments or AS_MEASURED,
        )
        for price in prices
    ]
    return PerEventStepsPricing(prices=tuple(prices), terms=terms_of_rows(rows))


PER_EVENT_STEPS = EventModel("per_event_steps", prepare)
