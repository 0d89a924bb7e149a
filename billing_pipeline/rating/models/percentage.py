"""A part of the amount that the usage record carries, with a fixed part and bounds.

Worked example: 2.9 % and 0.30 fixed, at least 0.50, at most 5.00: a payment of 20.00 costs
0.58 + 0.30 = 0.88, one of 1.00 costs 0.50, one of 1,000.00 costs 5.00; a refund of 20.00 -0.88.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.prices import PercentageUsage
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

_PER_CENT = 100 * ONE
_UNBOUNDED = 2**120


@dataclass(frozen=True)
class PercentagePricing:
    """Per cent, fixed part and bounds of each price, in ten-billionths."""

    terms: pl.DataFrame

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Price each event by the size of what it carries, and put the sign back."""
        del cards
        given = events.select(
            billable_units="quantity", carried=wholes(pl.col("carried_amount"))
        ).hstack(self.terms.select(pl.all().gather(events.get_column("price"))))
        too_large = too_large_to_multiply(given, pl.col("carried"), pl.col("percent"))
        carried = pl.col("carried") if too_large is None else pl.when(~too_large).then("carried")
        part = rounded_quotient(carried.abs() * pl.col("percent"), pl.lit(_PER_CENT, dtype=WHOLE))
        bounded = pl.min_horizontal(pl.max_horizontal(part + pl.col("fixed"), "minimum"), "maximum")
        amount = pl.when(carried.is_not_null()).then(bounded * carried.sign())
        priced = given.with_columns(amount=decimals(amount))
        is_missing = pl.col("amount").is_null()
        return completed(
            priced.with_columns(
                reason=pl.when(is_missing).then(pl.lit(SuspenseReason.INVALID_AMOUNT.value)),
                detail=pl.when(is_missing).then(pl.lit("record carries no usable amount")),
            )
        )


def prepare(prices: Sequence[PercentageUsage]) -> PercentagePricing:
    """Put the numbers of all prices in one table."""
    rows = [
        {
            "percent": to_whole(price.percent),
            "fixed": to_whole(price.fixed),
            "minimum": to_whole(price.minimum),
            "maximum": _UNBOUNDED if price.maximum is None else to_whole(price.maximum),
        }
        for price in prices
    ]
    names = ("percent", "fixed", "minimum", "maximum")
    return PercentagePricing(pl.DataFrame(rows, schema=dict.fromkeys(names, WHOLE)))


PERCENTAGE = EventModel("percentage", prepare)
