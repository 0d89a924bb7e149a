"""Calls over several time bands: by start or split, over midnight, clock changes, holidays."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.rating.local_time import offset_changes
from billing_pipeline.rating.rate import rate
from billing_pipeline_tests.rating.given import Row, at, book, card, card_rows, events, plan

WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]
PEAK = {"key": "peak", "weekdays": WORKDAYS, "from_time": "08:00", "until_time": "19:00"}
HOURLY = {
    "model": "time_of_day",
    "amount": "0.06",
    "pricing_unit": 60,
    "charged_by": "split",
    "increments": {"minimum": 60, "increment": 60},
    "bands": [{**PEAK, "amount": "0.12"}],
}


def priced(
    started_at: str, seconds: object, price: Mapping[str, object], **event: object
) -> dict[str, object]:
    """The only event, rated by one price, in London."""
    row: Row = {"started_at": at(started_at), "quantity": Decimal(str(seconds)), **event}
    (rated,) = rate(events(row), book(plan(price))).accepted.to_dicts()
    return rated


def told(rated: dict[str, object]) -> tuple[object, ...]:
    return rated["billable_units"], rated["amount"], rated["spans"]


def test_the_overshoot_of_a_span_is_eaten_from_the_head_of_the_next() -> None:
    """30 s of peak are billed as 60 = 0.12; 40 of the other 70 s are left, billed as 60 = 0.06."""
    found = priced("2026-03-04T18:59:30Z", 100, HOURLY)

    assert told(found) == (Decimal(120), Decimal("0.18"), "peak 60 s at 0.12; other 60 s at 0.06")
    assert (found["rate_band"], found["unit_price"]) == ("peak", None)


def test_what_was_eaten_up_wholly_is_not_billed_again() -> None:
    """30 s of peak and 20 s after it are one minute of peak."""
    found = priced("2026-03-04T18:59:30Z", 50, HOURLY)

    assert told(found) == (Decimal(60), Decimal("0.12"), "peak 60 s at 0.12")
    assert found["unit_price"] == Decimal("0.12")


@pytest.mark.parametrize(
    "terms", [{"rounding": "down"}, {"counted_as": [{"up_to": 9, "units": 9}]}]
)
def test_spans_of_a_split_call_are_rounded_up_only(terms: Row) -> None:
    with pytest.raises(ValueError, match="spans of a split call are rounded up"):
        plan({**HOURLY, "increments": terms})
    with pytest.raises(ValueError, match="spans of a split call are rounded up"):
        card("card", charged_by="split", **terms)


def test_by_start_the_whole_call_is_of_the_first_band() -> None:
    found = priced("2026-03-04T18:59:30Z", 100, {**HOURLY, "charged_by": "start"})

    assert told(found) == (Decimal(120), Decimal("0.24"), None)


@pytest.mark.parametrize(
    ("increments", "units", "amount"),
    [
        pytest.param({"minimum": 60, "increment": 60}, 120, "0.18", id="60/60"),
        pytest.param({"increment": 1}, 100, "0.13", id="1/1: 30 x 0.002 + 70 x 0.001"),
        pytest.param({"minimum": 30, "increment": 6}, 102, "0.132", id="30/6: 30 and 72"),
        pytest.param(
            {"free_initial": 30, "increment": 1}, 70, "0.07", id="first 30 free: none of the peak"
        ),
    ],
)
def test_each_increment_rounds_its_own_spans(increments: Row, units: int, amount: str) -> None:
    found = priced("2026-03-04T18:59:30Z", 100, {**HOURLY, "increments": increments})

    assert (found["billable_units"], found["amount"]) == (Decimal(units), Decimal(amount))


@pytest.mark.parametrize(
    ("fee_on", "fee"), [pytest.param("used", "0"), pytest.param("every", "0.10")]
)
def test_a_call_wholly_in_its_free_seconds_is_not_split(fee_on: str, fee: str) -> None:
    """8 s over the bound of the bands, 10 s free: nothing is left; 80 s have 70 s after 19:00."""
    price = HOURLY | {"increments": {"free_initial": 10}, "connection_fee": "0.20"}
    price |= {"connection_fee_on": fee_on}
    price["bands"] = [{**PEAK, "amount": "0.12", "connection_fee": "0.10"}]
    started_at = "2026-03-04T18:59:55Z"

    assert told(priced(started_at, 8, price)) == (Decimal(0), Decimal(fee), None)
    rows: list[Row] = [
        {"started_at": at(started_at), "quantity": Decimal(seconds)} for seconds in (8, 80)
    ]
    beside = rate(events(*rows), book(plan(price))).accepted
    assert beside["amount"].to_list() == [Decimal(fee), Decimal("0.27")]


def test_a_card_call_wholly_in_its_free_seconds_is_not_split() -> None:
    cards = [card(bands=[PEAK], charged_by="split", free_initial=10)]
    call = {"destination": "441", "quantity": 8, "started_at": at("2026-03-04T18:59:55Z")}
    priced_by_card = plan({"model": "rate_card", "card": "card"})

    rated = rate(events(call), book(priced_by_card, cards=cards, rows=card_rows({"prefix": "44"})))

    assert rated.accepted["amount"].to_list() == [Decimal(0)]


NIGHT = {"key": "night", "from_time": "00:00", "until_time": "06:00", "amount": "0.60"}
PER_SECOND = {
    **HOURLY,
    "amount": "1.20",
    "increments": {"increment": 1},
    "bands": [NIGHT],
}


@pytest.mark.parametrize(
    ("started_at", "seconds", "amount", "spans"),
    [
        pytest.param(
            "2026-03-04T23:59:00Z", 120, "1.8", "other 60 s at 1.2; night 60 s at 0.6",
            id="over midnight",
        ),
        pytest.param(
            "2026-12-31T23:59:30Z", 60, "0.9", "other 30 s at 1.2; night 30 s at 0.6",
            id="over the end of the year",
        ),
    ],
)  # fmt: skip
def test_a_call_over_midnight_is_split_there(
    started_at: str, seconds: int, amount: str, spans: str
) -> None:
    found = priced(started_at, seconds, PER_SECOND)

    assert (found["amount"], found["spans"]) == (Decimal(amount), spans)


def test_when_clocks_go_forward_the_night_is_an_hour_shorter() -> None:
    """London, 29 March 2026: 00:30 to 01:00, then 02:00 to 06:00 is 4.5 hours of night, not 5.5.

    5.5 hours of talk: 4.5 h x 36.00 + 1 h x 72.00 = 162 + 72 = 234.
    """
    found = priced("2026-03-29T00:30:00Z", 19800, PER_SECOND)

    assert found["amount"] == Decimal(234)


def test_when_clocks_go_back_the_night_is_an_hour_longer() -> None:
    """London, 25 October 2026: from 00:30 BST the night lasts 6.5 hours to 06:00 GMT.

    7 hours of talk: 6.5 h x 36.00 + 0.5 h x 72.00 = 234 + 36 = 270.
    """
    found = priced("2026-10-24T23:30:00Z", 25200, PER_SECOND)

    assert found["amount"] == Decimal(270)


def test_an_hour_that_comes_twice_has_its_bands_twice() -> None:
    """Band 01:00-01:30, clocks back at 02:00: of 3 h from 00:30 two half hours lie in it."""
    half = {"key": "half", "from_time": "01:00", "until_time": "01:30", "amount": "0.60"}

    found = priced("2026-10-24T23:30:00Z", 10800, {**PER_SECOND, "bands": [half]})

    assert found["amount"] == Decimal(3600) * Decimal("0.01") + Decimal(7200) * Decimal("0.02")


def test_messages_and_data_are_never_split() -> None:
    found = priced("2026-03-04T18:59:30Z", 100, HOURLY, unit="MB")

    assert told(found) == (Decimal(120), Decimal("0.24"), None)


def test_what_takes_a_call_back_is_split_alike() -> None:
    there = priced("2026-03-04T18:59:30Z", 100, {**HOURLY, "connection_fee": "0.01"})
    back = priced("2026-03-04T18:59:30Z", -100, {**HOURLY, "connection_fee": "0.01"})

    assert (there["amount"], back["amount"]) == (Decimal("0.18"), Decimal("-0.18"))
    assert back["billable_units"] == Decimal(-120)


def test_the_fee_is_that_of_the_first_span() -> None:
    fees = {**HOURLY, "connection_fee": "0.50", "bands": [{**PEAK, "amount": "0.12",
            "connection_fee": "0.05"}]}  # fmt: skip

    assert priced("2026-03-04T18:59:30Z", 100, fees)["amount"] == Decimal("0.23")


def test_a_call_of_400_bands_is_not_believed() -> None:
    row: Row = {"started_at": at("2026-03-04T12:00Z"), "quantity": Decimal(10**9)}

    outcome = rate(events(row), book(plan(HOURLY)))

    assert outcome.suspended["reason"].to_list() == ["implausible_quantity"]


@given(seconds=st.integers(1, 200_000), start=st.integers(0, 10**6))
def test_spans_at_one_price_come_to_what_the_whole_call_comes_to(seconds: int, start: int) -> None:
    same = {**HOURLY, "amount": "0.12"}
    begun = (dt.datetime(2026, 3, 25, tzinfo=dt.UTC) + dt.timedelta(seconds=start)).isoformat()

    split = priced(begun, seconds, same)
    whole = priced(begun, seconds, {**same, "charged_by": "start"})

    assert (split["billable_units"], split["amount"]) == (whole["billable_units"], whole["amount"])


CARD = {"model": "rate_card", "card": "card"}
SPLIT_CARD = card(bands=[PEAK], charged_by="split")
ROWS = [
    {"prefix": "44", "band": "peak", "unit_price": Decimal("0.12")},
    {"prefix": "4", "unit_price": Decimal("0.06")},
]


def test_a_card_is_split_prefix_by_prefix() -> None:
    """30 s by 44 in the peak, 70 s by prefix 4, which is all the evening has: 0.06 + 0.07."""
    row = {"started_at": at("2026-03-04T18:59:30Z"), "quantity": Decimal(100), "destination": "445"}

    outcome = rate(events(row), book(plan(CARD), cards=[SPLIT_CARD], rows=card_rows(*ROWS)))

    (rated,) = outcome.accepted.to_dicts()
    assert told(rated) == (Decimal(100), Decimal("0.13"), "peak 30 s at 0.12; other 70 s at 0.06")
    assert rated["rate_prefix"] == "44"


def test_a_split_call_has_the_prices_in_force_as_it_began() -> None:
    """Over midnight into June: 60 s at 0.12 and 60 s at 0.06, though June's night costs 0.10."""
    bands = [{"key": "night", "until_time": "06:00"}, {"key": "eve", "from_time": "22:00"}]
    june = dt.date(2026, 6, 1)
    rows = card_rows(
        *(
            {"prefix": "44", "band": band, "unit_price": Decimal(price), **validity}
            for band, price, validity in (
                ("eve", "0.12", {"valid_until": june}),
                ("night", "0.06", {"valid_until": june}),
                ("eve", "0.20", {"valid_from": june}),
                ("night", "0.10", {"valid_from": june}),
            )
        )
    )
    sold = book(
        plan({"model": "rate_card", "card": "card"}),
        cards=[card(bands=bands, charged_by="split")],
        rows=rows,
    )
    calls = [
        {"destination": "441", "quantity": Decimal(120), "started_at": at(moment)}
        for moment in ("2026-05-31T22:59:00Z", "2026-05-31T23:00:00Z")
    ]

    rated = rate(events(*calls), sold).accepted

    assert rated.get_column("amount").to_list() == [Decimal("0.18"), Decimal("0.20")]
    assert rated.item(0, "spans") == "eve 60 s at 0.12; night 60 s at 0.06"
    assert rated.get_column("increments").to_list() == ["1/1", "1/1"]


def test_a_span_without_a_price_suspends_the_call() -> None:
    row = {"started_at": at("2026-03-04T18:59:30Z"), "quantity": Decimal(100), "destination": "445"}

    outcome = rate(events(row), book(plan(CARD), cards=[SPLIT_CARD], rows=card_rows(ROWS[0])))

    assert outcome.suspended["reason"].to_list() == ["no_destination"]


SEASONS = {
    "model": "time_of_day",
    "amount": "0.10",
    "holidays": ["2026-12-25"],
    "bands": [
        {"key": "free", "weekdays": ["sat", "sun", "holiday"], "amount": "0.04"},
        {"key": "winter", "from_day": "11-01", "until_day": "03-01", "amount": "0.15"},
        {"key": "summer", "weekdays": WORKDAYS, "from_day": "06-01", "until_day": "09-01",
         "from_time": "19:00", "until_time": "07:00", "amount": "0.06"},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("started_at", "band", "amount"),
    [
        pytest.param("2026-12-25T12:00Z", "free", "0.04", id="a holiday on a Friday"),
        pytest.param("2026-12-24T12:00Z", "winter", "0.15", id="the day before it"),
        pytest.param("2026-02-28T12:00Z", "free", "0.04", id="Saturday in winter"),
        pytest.param("2027-02-26T12:00Z", "winter", "0.15", id="after the turn of the year"),
        pytest.param("2027-03-01T12:00Z", None, "0.10", id="the season has ended"),
        pytest.param("2026-06-01T18:30Z", "summer", "0.06", id="first summer evening, 19:30 BST"),
        pytest.param("2026-06-01T17:30Z", None, "0.10", id="before the evening"),
        pytest.param("2026-08-31T22:59Z", "summer", "0.06", id="the last minute of summer"),
        pytest.param("2026-08-31T23:00Z", None, "0.10", id="midnight in London ends it"),
    ],
)
def test_holidays_weekdays_and_seasons(started_at: str, band: str | None, amount: str) -> None:
    found = priced(started_at, 1, SEASONS)

    assert (found["rate_band"], found["amount"]) == (band, Decimal(amount))


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/London", ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00"]),
        ("Australia/Lord_Howe", ["2026-04-04T15:00:00+00:00", "2026-10-03T15:30:00+00:00"]),
        ("UTC", []),
    ],
)
def test_changes_of_clocks_are_found_to_the_minute(zone: str, expected: list[str]) -> None:
    found = offset_changes(at("2026-01-01T00:00Z"), at("2026-12-31T00:00Z"), zone)

    assert [instant.isoformat() for instant in found.to_list()] == expected
