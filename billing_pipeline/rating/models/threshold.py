"""Thresholds: one amount for the whole period, that of the tier its quantity reaches.

Worked example: to 1,000 for 20.00, to 5,000 for 50.00, above for 90.00: 1,000 units cost 20.00,
1,001 cost 50.00, none cost nothing.
"""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.prices import Tier
from billing_pipeline.rating.exact import decimals, wholes
from billing_pipeline.rating.tiers import of_tier_reached


def threshold_amount(
    quantity: pl.Series, tiers: Sequence[Tier], pricing_unit: Decimal
) -> pl.Series:
    """One amount for each quantity: that of the tier it reaches; none for no usage.

    Example: to 1,000 for 20.00, to 5,000 for 50.00, above for 90.00: 1,001 cost 50.00.
    Shape: row by row. Units: `quantity` in measured units, tier bounds in pricing units.
    """
    used = quantity.to_frame("quantity").select(units=wholes(pl.col("quantity")))
    owed = [tier.amount + tier.flat_fee for tier in tiers]
    return used.select(amount=decimals(of_tier_reached(tiers, pricing_unit, owed))).get_column(
        "amount"
    )
