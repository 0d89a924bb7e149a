"""Exact arithmetic on ten-decimal numbers held as whole ten-billionths (Int128).

Polars rounds a Decimal product half-even at its scale, which would round twice: once in
`units * price` and once more in the division by the pricing unit. As whole numbers the product
is exact and only the quotient is rounded, once, half away from zero. Int128 wraps without a
word, so every product is bounded by `too_large_to_multiply` before it is taken.
"""

from decimal import Decimal

import polars as pl

from billing_pipeline.vocabulary.money import AMOUNT

DECIMALS = 10
ONE = 10**DECIMALS
"""One unit, in ten-billionths."""

WHOLE = pl.Int128()

# 2 * product + divisor must stay below 2**127; a divisor is below 10**28 by the catalog's types.
_PRODUCT_LIMIT = 2**125


class AmountOverflow(OverflowError):
    """A product has more digits than exact arithmetic holds; nothing was wrapped."""


def to_whole(value: Decimal) -> int:
    """Ten-billionths of a configured number.

    Raises: ValueError if it has more than ten decimals.
    """
    scaled = value.scaleb(DECIMALS)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more than {DECIMALS} decimals")
    return int(scaled)


def wholes(value: pl.Expr) -> pl.Expr:
    """Ten-billionths of a Decimal(38, 10) column. Shape: row by row."""
    return value.cast(AMOUNT).to_physical()


def decimals(whole: pl.Expr) -> pl.Expr:
    """Decimal(38, 10) of ten-billionths. Shape: row by row. Raises: beyond 38 digits."""
    return whole.cast(pl.Decimal(38, 0)) * pl.lit(Decimal(1).scaleb(-DECIMALS))


def multiple_at_least(whole: pl.Expr, step: pl.Expr) -> pl.Expr:
    """The least multiple of `step` that is not below `whole`. Shape: row by row."""
    return (whole + step - 1) // step * step


def rounded_quotient(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    """Quotient rounded to a whole number, half away from zero; `divisor` is positive.

    Shape: row by row. Units: dividend in ten-billionths squared and divisor in ten-billionths
    give ten-billionths.
    """
    return dividend.sign() * ((2 * dividend.abs() + divisor) // (2 * divisor))


def rounded_positive_quotient(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    """The same for dividends that are not negative, with half the work. Shape: row by row."""
    return (2 * dividend + divisor) // (2 * divisor)


def too_large_to_multiply(frame: pl.DataFrame, left: pl.Expr, right: pl.Expr) -> pl.Series | None:
    """Rows whose product would leave Int128, or None if no row can.

    The largest factors are compared first, so the exact test per row runs only on odd data.
    """
    largest = frame.select(
        left=left.abs().max().cast(WHOLE), right=right.abs().max().cast(WHOLE)
    ).row(0)
    if (largest[0] or 0) * (largest[1] or 0) <= _PRODUCT_LIMIT:
        return None
    bound = pl.lit(_PRODUCT_LIMIT, dtype=WHOLE) // pl.max_horizontal(
        right.abs(), pl.lit(1, dtype=WHOLE)
    )
    return frame.select(rows=(left.abs() > bound).fill_null(value=False)).get_column("rows")


def checked_product(frame: pl.DataFrame, left: str, right: str) -> pl.Series:
    """Product of two columns of ten-billionths. Shape: row by row.

    Raises: AmountOverflow if a product would leave Int128.
    """
    too_large = too_large_to_multiply(frame, pl.col(left), pl.col(right))
    if too_large is not None and too_large.any():
        raise AmountOverflow(
            f"{left} times {right} is too large:\n{frame.filter(too_large).head()}"
        )
    return frame.select(product=pl.col(left) * pl.col(right)).get_column("product")
