"""The price stands in the usage record, in all or per unit; a markup may be added to it.

Worked example: a record carries 2.00 and the markup is 15 %: 2.00 x 115 / 100 = 2.30. Where it
carries the price of a minute, 0.04, 90 s cost 90 x 0.046 / 60 = 0.069; ten such calls of a period
are 900 s at one price, 0.69.
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
    """What each price bills of what a record carries, in ten-billionths.

    `percent` of it; `per` is the pricing unit of prices whose records carry a unit price, null
    where they carry the whole amount.
    """

    percent: pl.Series
    per: pl.Series

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Price each event by the amount it carries."""
        del cards
        carried = events.select(
            billable_units="quantity",
            carried=wholes(pl.col("carried_amount")),
            percent=self.percent.gather(events.get_column("price")),
            per=self.per.gather(events.get_column("price")),
        )
        too_large = too_large_to_multiply(carried, pl.col("carried"), pl.col("percent"))
        fits = pl.lit(value=True) if too_large is None else ~pl.lit(too_large)
        billed = rounded_quotient(
            pl.col("carried") * pl.col("percent"), pl.lit(_HUNDRED * ONE, dtype=WHOLE)
        )
        priced = _times_units(carried.with_columns(billed=pl.when(fits).then(billed)))
        is_priced = pl.col("amount").is_not_null()
        return completed(
            priced.with_columns(
                reason=pl.when(~is_priced).then(pl.lit(SuspenseReason.INVALID_AMOUNT.value)),
                detail=pl.when(~is_priced).then(pl.lit("record carries no usable amount")),
            )
        )


def _times_units(carried: pl.DataFrame) -> pl.DataFrame:
    """Amount, and unit price where that is what was carried."""
    per, billed = pl.col("per"), pl.col("billed")
    whole = carried.with_columns(
        units=pl.when(per.is_not_null()).then(wholes(pl.col("billable_units")))
    )
    too_large = too_large_to_multiply(whole, pl.col("units"), billed)
    fits = pl.lit(value=True) if too_large is None else ~pl.lit(too_large)
    total = rounded_quotient(pl.when(fits).then(pl.col("units") * billed), per)
    return whole.with_columns(
        amount=decimals(pl.when(per.is_null()).then(billed).otherwise(total)),
        unit_price=decimals(pl.when(per.is_not_null()).then(billed)),
    )


def prepare(prices: Sequence[CarriedUsage]) -> CarriedPricing:
    """Note each price's per cent and what a record carries."""
    percent = [to_whole(_HUNDRED + Decimal(price.markup_percent)) for price in prices]
    per = [
        to_whole(price.pricing_unit) if price.carries == "unit_price" else None for price in prices
    ]
    return CarriedPricing(
        pl.Series("percent", percent, dtype=WHOLE), pl.Series("per", per, dtype=WHOLE)
    )


CARRIED = EventModel("carried", prepare)
