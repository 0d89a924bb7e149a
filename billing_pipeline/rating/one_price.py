"""The quantity of a period at one price."""

from decimal import Decimal

import polars as pl

from billing_pipeline.rating.exact import (
    WHOLE,
    checked_product,
    decimals,
    rounded_quotient,
    to_whole,
    wholes,
)


def at_one_price(periods: pl.DataFrame, amount: Decimal, pricing_unit: Decimal) -> pl.DataFrame:
    """Add `amount`: the quantity of each period at one price. Shape: row by row.

    Raises: AmountOverflow.
    """
    whole = periods.select(
        quantity=wholes(pl.col("quantity")), price=pl.lit(to_whole(amount), dtype=WHOLE)
    )
    priced = rounded_quotient(
        pl.lit(checked_product(whole, "quantity", "price")),
        pl.lit(to_whole(pricing_unit), dtype=WHOLE),
    )
    return periods.with_columns(amount=decimals(priced))
