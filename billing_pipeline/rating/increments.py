"""From measured quantity to billable units: free initial units, minimum, increment."""

import polars as pl

from billing_pipeline.rating.exact import multiple_at_least


def billable_units(
    quantity: pl.Expr, *, free_initial: pl.Expr, minimum: pl.Expr, increment: pl.Expr
) -> pl.Expr:
    """Units to bill of one event: what is left after the free units, raised, rounded up.

    With "30/6" 1 s becomes 30, 31 s becomes 36. Nothing left bills nothing: the minimum is not
    applied to zero.

    Shape: row by row. Units: all in ten-billionths of the measured unit.
    """
    left = (quantity - free_initial).clip(lower_bound=0)
    raised = multiple_at_least(pl.max_horizontal(left, minimum), increment)
    return pl.when(left > 0).then(raised).otherwise(pl.lit(0, dtype=pl.Int128))
