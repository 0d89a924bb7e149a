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
from billing_pipeline.rating.models.graduated import tiered_amount
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.priced import completed
from billing_pipeline.rating.terms import AS_MEASURED, Terms, priced_by, term_row, terms_of_rows
from billing_pipeline.vocabulary.outcome import SuspenseReason


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
        is_refused = pl.lit(stepped.is_null() & units.is_not_null())
        return completed(
            rounded.with_columns(
                amount=fee + pl.when(units >= 0).then(stepped).otherwise(-stepped),
                unit_price=pl.lit(None, dtype=pl.Decimal(38, 10)),
                reason=pl.when(is_refused)
                .then(pl.lit(SuspenseReason.NO_PRICE.value))
                .otherwise("reason"),
                detail=pl.when(is_refused).then(pl.lit("quantity is past the last tier")),
            )
        )


def _stepped(events: pl.DataFrame, price: PerEventStepsUsage) -> pl.DataFrame:
    """Amount of each event; null where it goes past the last tier and that is refused."""
    units, bound = events.get_column("units"), price.priced_up_to
    if bound is None:
        return tiered_amount(units, price.tiers, price.pricing_unit).alias("amount").to_frame()
    amount = tiered_amount(units.clip(upper_bound=bound), price.tiers, price.pricing_unit)
    if price.beyond == "free":
        return amount.alias("amount").to_frame()
    past = pl.lit(units > bound)
    return pl.select(amount=pl.when(~past).then(pl.lit(amount)))


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
