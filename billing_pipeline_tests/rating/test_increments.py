"""Measured quantity to billable units."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.rating.exact import WHOLE, decimals, to_whole
from billing_pipeline.rating.increments import billable_units


def units(quantity: str, free: str, minimum: str, increment: str) -> Decimal:
    row = {"quantity": quantity, "free": free, "minimum": minimum, "increment": increment}
    whole = pl.DataFrame(
        {name: [to_whole(Decimal(text))] for name, text in row.items()},
        schema=dict.fromkeys(row, WHOLE),
    )
    answer: Decimal = whole.select(
        decimals(
            billable_units(
                pl.col("quantity"),
                free_initial=pl.col("free"),
                minimum=pl.col("minimum"),
                increment=pl.col("increment"),
            )
        )
    ).item()
    return answer


@pytest.mark.parametrize(
    ("quantity", "free", "minimum", "increment", "expected"),
    [
        pytest.param("1", "0", "60", "60", "60", id="60/60 begins a minute"),
        pytest.param("60", "0", "60", "60", "60", id="60/60 whole minute"),
        pytest.param("61", "0", "60", "60", "120", id="60/60 second minute"),
        pytest.param("1", "0", "1", "1", "1", id="1/1 by the second"),
        pytest.param("59.2", "0", "1", "1", "60", id="1/1 begun second"),
        pytest.param("1", "0", "30", "6", "30", id="30/6 minimum"),
        pytest.param("30", "0", "30", "6", "30", id="30/6 at the minimum"),
        pytest.param("31", "0", "30", "6", "36", id="30/6 first step"),
        pytest.param("36", "0", "30", "6", "36", id="30/6 at a step"),
        pytest.param("37", "0", "30", "6", "42", id="30/6 second step"),
        pytest.param("29", "30", "60", "60", "0", id="inside the free seconds"),
        pytest.param("30", "30", "60", "60", "0", id="exactly the free seconds"),
        pytest.param("31", "30", "60", "60", "60", id="one second after the free seconds"),
        pytest.param("91", "30", "60", "60", "120", id="61 s after the free seconds"),
        pytest.param("0", "0", "60", "60", "0", id="no usage has no minimum"),
        pytest.param("0.0000000001", "0", "0", "1", "1", id="the least quantity begins a step"),
        pytest.param("2.5", "0", "0", "0.5", "2.5", id="steps of a half"),
    ],
)
def test_units_follow_free_minimum_and_increment(
    quantity: str, free: str, minimum: str, increment: str, expected: str
) -> None:
    assert units(quantity, free, minimum, increment) == Decimal(expected)


numbers = st.decimals(min_value=0, max_value=10**9, places=4)
steps = st.decimals(min_value="0.0001", max_value=10**4, places=4)


@given(quantity=numbers, minimum=numbers, increment=steps)
def test_units_cover_the_quantity_with_less_than_one_step_to_spare(
    quantity: Decimal, minimum: Decimal, increment: Decimal
) -> None:
    billed = units(str(quantity), "0", str(minimum), str(increment))

    needed = max(quantity, minimum) if quantity else Decimal(0)
    assert billed % increment == 0
    assert needed <= billed < needed + increment
