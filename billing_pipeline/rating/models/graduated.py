"""Graduated tiers: each slice of a quantity at its own tier's price.

Worked example: to 10 GB at 1.00, to 20 at 1.25, to 50 at 1.50, above at 2.00: 55 GB cost
10 x 1.00 + 10 x 1.25 + 30 x 1.50 + 5 x 2.00 = 77.50. With a flat fee of 3.00 on the second tier
10 GB cost 10.00, 11 GB 10.00 + 1.25 + 3.00 = 14.25.
"""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.prices import Tier
from billing_pipeline.rating.exact import (
    WHOLE,
    checked_product,
    decimals,
    rounded_quotient,
    to_whole,
    wholes,
)
from billing_pipeline.rating.tiers import units_in_tier


def tiered_amount(quantity: pl.Series, tiers: Sequence[Tier], pricing_unit: Decimal) -> pl.Series:
    """Amount of each quantity, each slice at its own tier's price, rounded once.

    Past the last bounded tier its price goes on. A tier's flat fee is owed once any usage lies
    in it. Shape: row by row. Units: `quantity` in measured units, tier bounds in pricing units.
    Raises: AmountOverflow.
    """
    used = quantity.to_frame("quantity").select(used=wholes(pl.col("quantity")))
    priced, fees = pl.lit(0, dtype=WHOLE), pl.lit(0, dtype=WHOLE)
    above = 0
    for number, tier in enumerate(tiers, start=1):
        up_to = None if number == len(tiers) else tier.up_to
        bound = None if up_to is None else to_whole(up_to * pricing_unit)
        sliced = used.select(
            units=units_in_tier(
                pl.col("used"), pl.lit(above, dtype=WHOLE), pl.lit(bound, dtype=WHOLE)
            ),
            price=pl.lit(to_whole(tier.amount), dtype=WHOLE),
        )
        priced += pl.lit(checked_product(sliced, "units", "price"))
        is_reached = pl.lit(sliced.get_column("units") > 0)
        fees += pl.when(is_reached).then(pl.lit(to_whole(tier.flat_fee), dtype=WHOLE)).otherwise(0)
        above = above if bound is None else bound
    amount = rounded_quotient(priced, pl.lit(to_whole(pricing_unit), dtype=WHOLE)) + fees
    return used.select(amount=decimals(amount)).get_column("amount")
