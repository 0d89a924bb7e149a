"""Which part of a quantity lies in a tier, and which tier a quantity reaches."""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.prices import Tier
from billing_pipeline.rating.exact import WHOLE, to_whole


def units_in_tier(quantity: pl.Expr, tier_above: pl.Expr, tier_up_to: pl.Expr) -> pl.Expr:
    """Units of `quantity` above `tier_above`, up to and including `tier_up_to`.

    Shape: row by row. Units: all three in the same unit. A null `tier_up_to` is open-ended.
    """
    return (pl.min_horizontal(quantity, tier_up_to) - tier_above).clip(lower_bound=0)


def of_tier_reached(
    tiers: Sequence[Tier], pricing_unit: Decimal, values: Sequence[Decimal]
) -> pl.Expr:
    """Value of the tier that `units` reach; zero for no usage."""
    units = pl.col("units")
    reached = pl.lit(to_whole(values[-1]), dtype=WHOLE)
    for tier, value in zip(reversed(tiers[:-1]), reversed(values[:-1]), strict=True):
        bound = pl.lit(to_whole((tier.up_to or Decimal(0)) * pricing_unit), dtype=WHOLE)
        reached = (
            pl.when(units <= bound).then(pl.lit(to_whole(value), dtype=WHOLE)).otherwise(reached)
        )
    return pl.when(units > 0).then(reached).otherwise(pl.lit(0, dtype=WHOLE))
