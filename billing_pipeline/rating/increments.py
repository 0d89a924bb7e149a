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
    left = after_free_units(quantity, free_initial)
    return multiple_at_least(raised_to_minimum(left, minimum), increment)


def after_free_units(quantity: pl.Expr, free_initial: pl.Expr) -> pl.Expr:
    """What the free units at the beginning of an event leave. Shape: row by row."""
    return (quantity - free_initial).clip(lower_bound=0)


def raised_to_minimum(units: pl.Expr, minimum: pl.Expr) -> pl.Expr:
    """The minimum, or more; but nothing stays nothing. Shape: row by row."""
    return pl.when(units > 0).then(pl.max_horizontal(units, minimum)).otherwise(units)
