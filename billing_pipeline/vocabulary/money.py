"""Exact amounts: the type, the one rounding to minor units, and splits that always sum."""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

AMOUNT = pl.Decimal(38, 10)
"""Money in major units while it is computed; ten decimals, half away from zero at the last one."""

QUANTITY = pl.Decimal(38, 10)
"""A measured or billable quantity, in the unit its column names."""

# ISO 4217: every currency not listed here has two decimals.
_EXPONENTS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_DEFAULT_EXPONENT = 2

# The product of two amounts of ten decimals has twenty.
_DECIMALS = 10
_EXACT = pl.Decimal(38, 20)


def minor_exponent(currency: str) -> int:
    """Number of decimals of a currency's minor unit. Source: ISO 4217."""
    return _EXPONENTS.get(currency, _DEFAULT_EXPONENT)


def to_minor_units(amount: pl.Expr, currency: pl.Expr) -> pl.Expr:
    """Round exact amounts to whole minor units, half away from zero.

    Shape: row by row. Units: `amount` in major units, the result in minor units of `currency`.
    Raises: on overflow; never wraps.
    """
    scale = currency.replace_strict(
        {code: 10**digits for code, digits in _EXPONENTS.items()},
        default=10**_DEFAULT_EXPONENT,
        return_dtype=pl.Int64,
    )
    scaled = amount.cast(AMOUNT) * scale.cast(pl.Decimal(38, 0))
    return scaled.round(0, mode="half_away_from_zero").cast(pl.Int64)


def from_minor_units(amount_minor: int, currency: str) -> Decimal:
    """Major units of a booked amount, with exactly the currency's decimals."""
    return Decimal(amount_minor).scaleb(-minor_exponent(currency))


def plain_text(number: pl.Expr) -> pl.Expr:
    """A decimal as people write it: 20 or 5.5, without superfluous zeros; null stays null.

    Shape: row by row.
    """
    return number.cast(pl.String).str.replace(r"(\.[0-9]*?)0+$", "$1").str.strip_suffix(".")


def split_by_largest_remainder(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Split whole minor units in proportion to `weights`; the parts sum to the total.

    Remaining units go to the largest remainders, ties to the earlier part.
    Raises: ValueError if all weights are zero while there is something to split.
    """
    whole = sum(weights)
    if whole == 0:
        if total_minor:
            raise ValueError("cannot split an amount over weights that are all zero")
        return [0 for _ in weights]
    sign = -1 if total_minor < 0 else 1
    floors = [divmod(abs(total_minor) * weight, whole) for weight in weights]
    parts = [quotient for quotient, _ in floors]
    left = abs(total_minor) - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda i: (-floors[i][1], i))
    for index in by_remainder[:left]:
        parts[index] += 1
    return [sign * part for part in parts]


def exact_product(*factors: pl.Expr, over: pl.Expr | None = None) -> pl.Expr:
    """Multiply `factors`, divide by `over`, and round once to ten decimals, half away from zero.

    Shape: row by row. Twenty decimals are carried, so products of two amounts are exact.
    Raises: on overflow beyond 18 digits before the point; never wraps.
    """
    product = factors[0].cast(_EXACT)
    for factor in factors[1:]:
        product = product * factor.cast(_EXACT)
    quotient = product if over is None else product / over.cast(_EXACT)
    return quotient.round(_DECIMALS, mode="half_away_from_zero").cast(AMOUNT)
