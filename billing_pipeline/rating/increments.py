"""From measured quantity to billable units: free initial units, bands, minimum, increment.

Worked example: 30/6 makes 36 s of 31 s; rounded down they are 30, to the nearest 33 s are 36 and
32 s 30. Where up to 30 s count as 30 and up to 60 s as 60, 31 s are 60 s and 61 s are 66.
"""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.rating.exact import DECIMALS, multiple_at_least

UP, NEAREST, DOWN = 0, 1, 2
"""Numbers of `catalog.price_terms.Rounding`."""

Ladder = tuple[tuple[int, int], ...]
"""Bands of counted units: upper bound and what counts, rising."""


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


def rounded_to_step(units: pl.Expr, step: pl.Expr, rounding: pl.Expr) -> pl.Expr:
    """The multiple of `step` above, below or nearest to `units`, half a step upwards.

    Shape: row by row.
    """
    added = pl.when(rounding == UP).then(step - 1).when(rounding == NEAREST).then(step // 2)
    return (units + added.otherwise(0)) // step * step


def kept_at_minimum(units: pl.Expr, raised: pl.Expr, minimum: pl.Expr) -> pl.Expr:
    """Rounded units, but not less than the minimum `raised` has. Shape: row by row."""
    return pl.max_horizontal(units, pl.min_horizontal(raised, minimum))


def counted_as(
    left: pl.Expr, units: pl.Expr, ladders: Sequence[Ladder], ladder: pl.Expr
) -> pl.Expr:
    """What the band of `left` counts as; `units` past the last band and where there are none.

    Shape: row by row. `ladder` is the number of a row's ladder from 1; nothing stays nothing.
    """
    for number, bands in enumerate(ladders, start=1):
        is_mine = (ladder == number) & (left > 0)
        for bound, counted in reversed(bands):
            units = pl.when(is_mine & (left <= bound)).then(counted).otherwise(units)
    return units


def increments_in_words(table: pl.DataFrame) -> pl.Series:
    """First and next step of a table of terms as people write them; null where none is declared.

    Example: minimum 30 and increment 6 are `30/6`, increment 60 alone `60/60`; with ten free
    seconds `10 free, 60/60`; a minimum of 5 without an increment is `at least 5`.
    Shape: row by row.
    """
    columns = ["free_initial", "minimum", "increment", "rounding", "ladder"]
    # Tables have many rows and few increments: each is put into words once.
    distinct = table.select(columns).unique(maintain_order=True)
    words = pl.Series("increments", [_words(*row) for row in distinct.rows()], dtype=pl.String)
    found = table.select(columns).join(
        distinct.with_columns(words), on=columns, how="left", maintain_order="left"
    )
    return found.get_column("increments")


def _words(free: int, minimum: int, increment: int, rounding: int, ladder: int) -> str | None:
    parts = [f"{_number(free)} free"] if free else []
    if increment > 1:  # one ten-billionth rounds nothing
        parts.append(f"{_number(_least(minimum, increment, rounding))}/{_number(increment)}")
    elif minimum:  # time is rounded to seconds, all else not at all
        parts.append(f"at least {_number(minimum)}")
    if rounding != UP:
        parts.append("down" if rounding == DOWN else "nearest")
    if ladder:
        parts.append("by bands")
    return ", ".join(parts) or None


def _least(minimum: int, step: int, rounding: int) -> int:
    """What the shortest event counts as: the minimum as rounded, or a step where there is none."""
    added = {UP: step - 1, NEAREST: step // 2, DOWN: 0}[rounding]
    return max((minimum + added) // step * step, minimum) if minimum else step


def _number(whole: int) -> str:
    return f"{Decimal(whole).scaleb(-DECIMALS).normalize():f}"
