"""Products of amounts are rounded once."""

from decimal import ROUND_HALF_UP, Decimal, localcontext

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY, exact_product

AMOUNTS = st.decimals(
    min_value=Decimal(-1_000_000), max_value=Decimal(1_000_000), places=4, allow_nan=False
)


def product(amount: Decimal, quantity: Decimal, numerator: int, denominator: int) -> Decimal:
    row = pl.DataFrame(
        {"amount": [amount], "quantity": [quantity], "owed": [numerator], "whole": [denominator]},
        schema={"amount": AMOUNT, "quantity": QUANTITY, "owed": pl.Int64, "whole": pl.Int64},
    )
    result: Decimal = row.select(
        exact_product(pl.col("amount"), pl.col("quantity"), pl.col("owed"), over=pl.col("whole"))
    ).item()
    return result


@pytest.mark.parametrize(
    ("amount", "quantity", "expected"),
    [
        pytest.param("0.0000000001", "0.5", "0.0000000001", id="half goes up"),
        pytest.param("-0.0000000001", "0.5", "-0.0000000001", id="away from zero"),
        pytest.param("0.0000000003", "0.5", "0.0000000002", id="not to even"),
        pytest.param("0.0000000001", "0.4999999999", "0.0000000000", id="below half goes down"),
    ],
)
def test_a_product_is_rounded_half_away_from_zero(
    amount: str, quantity: str, expected: str
) -> None:
    assert product(Decimal(amount), Decimal(quantity), 1, 1) == Decimal(expected)


@given(
    amount=AMOUNTS,
    quantity=AMOUNTS,
    owed=st.integers(1, 400),
    whole=st.integers(1, 400),
)
def test_a_share_is_what_long_division_gives(
    amount: Decimal, quantity: Decimal, owed: int, whole: int
) -> None:
    with localcontext(prec=60):
        expected = (amount * quantity * owed / whole).quantize(
            Decimal("1e-10"), rounding=ROUND_HALF_UP
        )

    assert product(amount, quantity, owed, whole) == expected


def test_a_product_too_large_raises_and_never_wraps() -> None:
    with pytest.raises(pl.exceptions.PolarsError):
        product(Decimal(10) ** 17, Decimal(10) ** 17, 1, 1)
