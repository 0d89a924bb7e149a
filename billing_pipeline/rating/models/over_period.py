"""Models that are priced over the billing period: an event only says what it measured.

Worked example: 7 API calls under graduated tiers are 7 billable units and amount 0; the
period's total is cut at the tiers by `rating.period`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.prices import GraduatedUsage, LatestUsage, PercentileUsage
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.priced import completed
from billing_pipeline.vocabulary.money import AMOUNT

PeriodPrice = GraduatedUsage | PercentileUsage | LatestUsage


@dataclass(frozen=True)
class OverPeriodPricing:
    """Nothing to prepare: the period prices, the event waits."""

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Hand the measured quantity on with amount zero."""
        del cards
        return completed(
            events.select(billable_units="quantity", amount=pl.lit(0, dtype=pl.Int64).cast(AMOUNT))
        )


def prepare(prices: Sequence[PeriodPrice]) -> OverPeriodPricing:
    """Prepare nothing."""
    del prices
    return OverPeriodPricing()


OVER_PERIOD = tuple(EventModel(name, prepare) for name in ("graduated", "percentile", "latest"))
