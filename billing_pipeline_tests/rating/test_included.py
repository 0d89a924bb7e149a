"""Included units are taken in the order of events."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.rating.exact import AmountOverflow
from billing_pipeline.rating.included import FEE_ON_INCLUDED, take_included_units
from billing_pipeline_tests.rating.given import NOON

AMOUNT = pl.Decimal(38, 10)
SCHEMA = pl.Schema(
    {
        "period": pl.String(),
        "started_at": pl.Datetime("us", "UTC"),
        "file_key": pl.String(),
        "record_number": pl.Int64(),
        "billable_units": AMOUNT,
        "unit_price": AMOUNT,
        "pricing_unit": AMOUNT,
        "connection_fee": AMOUNT,
        "amount": AMOUNT,
    }
)


def call(
    minute: int,
    seconds: str,
    price: str | None = "0.06",
    fee: str | None = None,
    unit: str = "60",
    number: int = 1,
) -> dict[str, object]:
    amount = Decimal(seconds) * Decimal(price or "2") / Decimal(unit) + Decimal(fee or "0")
    return {
        "period": "march",
        "started_at": NOON + dt.timedelta(minutes=minute),
        "file_key": "file",
        "record_number": number,
        "billable_units": Decimal(seconds),
        "unit_price": None if price is None else Decimal(price),
        "pricing_unit": Decimal(unit),
        "connection_fee": None if fee is None else Decimal(fee),
        "amount": amount,
    }


def pools(**included: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "period": list(included),
            "included_units": [Decimal(units) for units in included.values()],
        },
        schema={"period": pl.String, "included_units": pl.Decimal(38, 10)},
    )


def taken(*events: dict[str, object], included: str) -> list[tuple[Decimal, ...]]:
    frame = pl.DataFrame(list(events), schema=SCHEMA | {FEE_ON_INCLUDED: pl.Boolean})
    answer = take_included_units(frame, ["period"], pools(march=included))
    rows = answer.select("included_units", "charged_units", "charged_amount").rows()
    return [tuple(row) for row in rows]


def decimals(*texts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, texts))


def test_an_event_that_crosses_the_end_of_the_pool_is_split() -> None:
    """3 minutes included: 2 minutes, then 1 of 2 minutes, then none."""
    found = taken(call(0, "120"), call(1, "120"), call(2, "60"), included="3")

    assert found == [
        decimals("120", "0", "0"),
        decimals("60", "60", "0.06"),
        decimals("0", "60", "0.06"),
    ]


def test_earlier_events_go_first_whatever_the_order_of_rows() -> None:
    first, second = call(0, "60", price="1"), call(1, "60", price="2")

    assert taken(second, first, included="1") == taken(first, second, included="1")
    assert taken(second, first, included="1")[1] == decimals("0", "60", "2")


def test_events_of_one_instant_go_by_record() -> None:
    events = [call(0, "60", price="2", number=2), call(0, "60", price="1", number=1)]

    assert [row[2] for row in taken(*events, included="1")] == [Decimal(0), Decimal(2)]


@pytest.mark.parametrize(
    ("included", "expected"),
    [
        pytest.param("0", "1.06", id="nothing included"),
        pytest.param("0.5", "1.03", id="partly included, the fee is money"),
        pytest.param("1", "0", id="wholly included, no fee"),
        pytest.param("100", "0", id="more than used"),
    ],
)
def test_the_connection_fee_is_owed_where_anything_is_left_to_pay(
    included: str, expected: str
) -> None:
    assert taken(call(0, "60", fee="1"), included=included)[0][2] == Decimal(expected)


@pytest.mark.parametrize(
    ("price", "included", "expected"),
    [
        pytest.param("0.06", "2", "0.10", id="wholly included"),
        pytest.param(None, "2", "0.10", id="wholly included, of several unit prices"),
        pytest.param(None, "1", "2.10", id="half of 4.00 is left, and the whole fee"),
    ],
)
def test_the_fee_of_included_calls_is_owed_whatever_their_units_cost(
    price: str | None, included: str, expected: str
) -> None:
    event = call(0, "120", price=price, fee="0.10") | {FEE_ON_INCLUDED: True}

    assert taken(event, included=included)[0][2] == Decimal(expected)


@pytest.mark.parametrize("included", ["0", "0.5", "1"])
def test_a_maximum_caps_an_event_however_much_of_it_is_included(included: str) -> None:
    """0.06 and a fee of 0.10, but 0.05 at most."""
    event = call(0, "60", fee="0.10") | {"amount": Decimal("0.05"), FEE_ON_INCLUDED: True}

    assert taken(event, included=included)[0][2] == Decimal("0.05")


def test_a_negative_unit_price_leaves_the_fee_of_an_included_event() -> None:
    event = call(0, "60", price="-0.06", fee="0.10") | {FEE_ON_INCLUDED: True}

    assert taken(event, included="1")[0][2] == Decimal("0.10")


def test_prices_of_different_units_share_a_pool() -> None:
    """10 included: 4 by the minute, 3 in sixes, and 3 of the last 5 by one."""
    events = [call(0, "240"), call(1, "18", unit="6"), call(2, "5", unit="1", price="1")]

    assert taken(*events, included="10") == [
        decimals("240", "0", "0"),
        decimals("18", "0", "0"),
        decimals("3", "2", "2"),
    ]


def test_an_event_without_unit_price_is_split_in_proportion() -> None:
    """120 s for 4.00 of which a minute is included: half is left."""
    assert taken(call(0, "120", price=None), included="1")[0] == decimals("60", "60", "2")


def test_a_period_without_a_pool_has_nothing_included() -> None:
    frame = pl.DataFrame([call(0, "60") | {"period": "april"}], schema=SCHEMA)

    answer = take_included_units(frame, ["period"], pools(march="5"))

    assert answer.get_column("charged_amount").to_list() == [Decimal("0.06")]


def test_totals_too_large_to_be_exact_are_refused() -> None:
    huge = [call(minute, "1" + "0" * 27, price="0") for minute in range(9)]

    with pytest.raises(AmountOverflow):
        taken(*huge, included="1")


seconds = st.decimals(min_value=0, max_value=5000, places=2)


@given(quantities=st.lists(seconds, min_size=1, max_size=20), included=st.integers(0, 200))
def test_parts_sum_to_the_whole(quantities: list[Decimal], included: int) -> None:
    events = [call(minute, str(quantity)) for minute, quantity in enumerate(quantities)]

    found = taken(*events, included=str(included))

    assert [row[0] + row[1] for row in found] == quantities
    assert sum(row[0] for row in found) == min(sum(quantities), Decimal(included * 60))
