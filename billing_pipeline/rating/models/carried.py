"""The price stands in the usage record; a markup may be added to it.

Worked example: a record carries 2.00 and the markup is 15 %: 2.00 x 115 / 100 = 2.30.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.prices import CarriedUsage
from billing_pipeline.rating.exact import (
    ONE,
    WHOLE,
    decimals,
    rounded_quotient,
    to_whole,
    too_large_to_multiply,
    wholes,
)
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.priced import completed
from billing_pipeline.vocabulary.outcome import SuspenseReason

_HUNDRED = 100


@dataclass(frozen=True)
class CarriedPricing:
    """Per cent of the carried amount that each price bills, in ten-billionths."""

    percent: pl.Series

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Price each event by the amount it carries."""
        del cards
        carried = events.select(
            billable_units="quantity",
            carried=wholes(pl.col("carried_amount")),
            percent=self.percent.gather(events.get_column("price")),
        )
        too_large = too_large_to_multiply(carried, pl.col("carried"), pl.col("percent"))
        fits = pl.lit(value=True) if too_large is None else ~pl.lit(too_large)
        billed = rounded_quotient(
            pl.col("carried") * pl.col("percent"), pl.lit(_HUNDRED * ONE, dtype=WHOLE)
        )
        priced = carried.with_columns(amount=decimals(pl.when(fits).then(billed)))
        is_priced = pl.col("amount").is_not_null()
        return completed(
            priced.with_columns(
                reason=pl.when(~is_priced).then(pl.lit(SuspenseReason.INVALID_AMOUNT.value)),
                detail=pl.when(~is_priced).then(pl.lit("record carries no usable amount")),
            )
        )


def prepare(prices: Sequence[CarriedUsage]) -> CarriedPricing:
    """Note each price's per cent."""
    percent = [to_whole(_HUNDRED + Decimal(price.markup_percent)) for price in prices]
    return CarriedPricing(pl.Series("percent", percent, dtype=WHOLE))


CARRIED = EventModel("carried", prepare)
