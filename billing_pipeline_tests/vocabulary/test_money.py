from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.vocabulary.money import (
    AMOUNT,
    from_minor_units,
    minor_exponent,
    plain_text,
    split_by_largest_remainder,
    to_minor_units,
)


def rounded(amount: str, currency: str) -> int:
    frame = pl.DataFrame(
        {"amount": [Decimal(amount)], "currency": [currency]},
        schema={"amount": AMOUNT, "currency": pl.String},
    )
    return int(frame.select(to_minor_units(pl.col("amount"), pl.col("currency"))).item())


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        pytest.param("0.125", "USD", 13, id="half goes away from zero"),
        pytest.param("-0.125", "USD", -13, id="a credit mirrors its invoice"),
        pytest.param("0.1249999999", "USD", 12, id="just below half goes down"),
        pytest.param("12.5", "JPY", 13, id="yen has no decimals"),
        pytest.param("1.0005", "KWD", 1001, id="dinar has three decimals"),
        pytest.param("0", "EUR", 0, id="nothing stays nothing"),
    ],
)
def test_amounts_round_half_away_from_zero_to_the_minor_unit(
    amount: str, currency: str, expected: int
) -> None:
    assert rounded(amount, currency) == expected


@given(
    amount=st.decimals(
        min_value=Decimal(-(10**12)), max_value=Decimal(10**12), places=10, allow_nan=False
    )
)
def test_rounding_agrees_with_the_decimal_module(amount: Decimal) -> None:
    expected = int(amount.scaleb(2).quantize(Decimal(1), rounding=ROUND_HALF_UP))

    assert rounded(str(amount), "EUR") == expected


def test_an_amount_too_large_for_the_books_raises_instead_of_wrapping() -> None:
    with pytest.raises(pl.exceptions.PolarsError):
        rounded(str(10**20), "EUR")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1234, "EUR", "12.34"), (1234, "JPY", "1234"), (-5, "KWD", "-0.005")],
)
def test_booked_amounts_come_back_with_the_currencys_decimals(
    minor: int, currency: str, text: str
) -> None:
    assert str(from_minor_units(minor, currency)) == text
    assert minor_exponent(currency) == len(text.partition(".")[2])


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        pytest.param(100, [1, 1, 1], [34, 33, 33], id="the first of equals takes the rest"),
        pytest.param(-100, [1, 1, 1], [-34, -33, -33], id="a credit splits as its invoice did"),
        pytest.param(5, [0, 1, 0], [0, 5, 0], id="no weight takes nothing"),
        pytest.param(0, [0, 0], [0, 0], id="nothing over nothing"),
    ],
)
def test_a_total_is_split_by_largest_remainder(
    total: int, weights: list[int], parts: list[int]
) -> None:
    assert split_by_largest_remainder(total, weights) == parts


@pytest.mark.parametrize(
    ("number", "decimals", "text"),
    [
        pytest.param("20", 10, "20", id="whole"),
        pytest.param("100", 0, "100", id="without decimals"),
        pytest.param("5.50", 2, "5.5", id="a last zero"),
        pytest.param("-0.0031", 10, "-0.0031", id="parts"),
        pytest.param("0", 10, "0", id="nothing"),
        pytest.param(None, 10, None, id="null"),
    ],
)
def test_a_decimal_is_written_without_superfluous_zeros(
    number: str | None, decimals: int, text: str | None
) -> None:
    frame = pl.DataFrame({"number": [number]}, schema={"number": pl.String})

    written = frame.select(plain_text(pl.col("number").cast(pl.Decimal(38, decimals))))

    assert written.item() == text


def test_an_amount_over_no_weight_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="all zero"):
        split_by_largest_remainder(1, [0, 0])


@given(
    total=st.integers(-(10**15), 10**15),
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(lambda w: sum(w) > 0),
)
def test_parts_always_sum_to_the_whole(total: int, weights: list[int]) -> None:
    parts = split_by_largest_remainder(total, weights)

    assert sum(parts) == total
    assert all(abs(part) <= abs(total) for part in parts)
