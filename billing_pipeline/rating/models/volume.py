"""Volume tiers: all of a quantity at the price of the tier it reaches.

Worked example: to 100 at 1.00, above at 0.80: 100 units cost 100.00, 101 cost 101 x 0.80 = 80.80:
one unit more makes the bill cheaper.
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
from billing_pipeline.rating.tiers import of_tier_reached


def volume_amount(quantity: pl.Series, tiers: Sequence[Tier], pricing_unit: Decimal) -> pl.Series:
    """Amount of each quantity, all of it at the price of the tier it reaches, rounded once.

    Past the last bounded tier its price goes on. The flat fee is that of the tier reached.
    Example: to 100 at 1.00, above at 0.80: 100 are 100.00, 101 are 80.80.
    Shape: row by row. Units: `quantity` in measured units, tier bounds in pricing units.
    Raises: AmountOverflow.
    """
    used = quantity.to_frame("quantity").select(units=wholes(pl.col("quantity")))
    priced = used.with_columns(
        price=of_tier_reached(tiers, pricing_unit, [tier.amount for tier in tiers])
    )
    fee = of_tier_reached(tiers, pricing_unit, [tier.flat_fee for tier in tiers])
    whole = rounded_quotient(
        pl.lit(checked_product(priced, "units", "price")),
        pl.lit(to_whole(pricing_unit), dtype=WHOLE),
    )
    return used.select(amount=decimals(whole + fee)).get_column("amount")
