"""Cutting a quantity at tier bounds."""

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


def units_in_tier(quantity: pl.Expr, tier_above: pl.Expr, tier_up_to: pl.Expr) -> pl.Expr:
    """Units of `quantity` above `tier_above`, up to and including `tier_up_to`.

    Shape: row by row. Units: all three in the same unit. A null `tier_up_to` is open-ended.
    """
    return (pl.min_horizontal(quantity, tier_up_to) - tier_above).clip(lower_bound=0)


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
