"""Packages: whole blocks of a quantity; a started block is owed.

Worked example: blocks of 1,000 messages at 5.00: 1,000 messages are one block, 5.00; 1,001 are two,
10.00; none are none.
"""

from decimal import Decimal

import polars as pl

from billing_pipeline.rating.exact import WHOLE, checked_product, decimals, to_whole, wholes


def package_amount(
    quantity: pl.Series, *, size: Decimal, amount: Decimal, pricing_unit: Decimal
) -> pl.Series:
    """Amount of each quantity in whole blocks; a started block is owed.

    Example: blocks of 1,000 messages at 5.00: 1,001 messages are two blocks, 10.00.
    Shape: row by row. Units: `quantity` in measured units, `size` in pricing units.
    Raises: AmountOverflow.
    """
    step = to_whole(size * pricing_unit)
    blocks = (wholes(pl.col("quantity")).clip(lower_bound=0) + (step - 1)) // step
    counted = quantity.to_frame("quantity").select(
        blocks=blocks, price=pl.lit(to_whole(amount), dtype=WHOLE)
    )
    owed = pl.lit(checked_product(counted, "blocks", "price"))
    return counted.select(amount=decimals(owed)).get_column("amount")
