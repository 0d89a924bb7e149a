"""One event at a time: hand-worked prices, and what goes to suspense."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.customers.schema import SUBSCRIPTION_CHANGES
from billing_pipeline.rating.rate import rate, rate_in_slices
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.problems import ConfigurationRefused
from billing_pipeline_tests.rating.given import (
    Row,
    at,
    book,
    card,
    card_rows,
    events,
    frame,
    plan,
    subscriptions,
)

PER_MINUTE: Row = {"model": "per_unit", "amount": "0.05", "pricing_unit": "60"}
BY_CARD: Row = {"model": "rate_card", "card": "card"}


EVERY: Row = {"connection_fee": "0.10", "connection_fee_on": "every"}
COUNTED: Row = {
    "increments": {
        "increment": "12",
        "counted_as": [{"up_to": "30", "units": "30"}, {"up_to": "60", "units": "60"}],
    }
}


def rounded(rounding: str) -> Row:
    return {"increments": {"minimum": "30", "increment": "6", "rounding": rounding}}


def only(rows: pl.DataFrame) -> dict[str, object]:
    row: dict[str, object] = rows.row(0, named=True)
    assert rows.height == 1
    return row


@pytest.mark.parametrize(
    ("quantity", "price", "units", "amount"),
    [
        pytest.param("6000", {}, "6000", "5", id="100 minutes at $0.05"),
        pytest.param("1", {}, "1", "0.0008333333", id="rounded at the tenth decimal"),
        pytest.param("2", {}, "2", "0.0016666667", id="rounded up at the tenth decimal"),
        pytest.param("0", {}, "0", "0", id="zero usage is free"),
        pytest.param("0", {"connection_fee": "0.10"}, "0", "0", id="zero usage has no fee"),
        pytest.param("0", EVERY, "0", "0.10", id="zero usage has a fee where the price says so"),
        pytest.param("60", EVERY, "60", "0.15", id="and so has any other"),
        pytest.param(
            "0", {**EVERY, "connection_fee_on": "included"}, "0", "0", id="of included calls only"
        ),
        pytest.param(
            "61",
            {"increments": {"minimum": "60", "increment": "60"}, "connection_fee": "0.10"},
            "120",
            "0.20",
            id="60/60 with a fee",
        ),
        pytest.param(
            "31", {"increments": {"minimum": "30", "increment": "6"}}, "36", "0.03", id="30/6"
        ),
        pytest.param(
            "30", {"increments": {"free_initial": "30"}, "connection_fee": "1"}, "0", "0",
            id="inside the free seconds there is no fee",
        ),
        pytest.param(
            "91",
            {"increments": {"free_initial": "30", "minimum": "60", "increment": "60"}},
            "120",
            "0.10",
            id="first 30 s free",
        ),
        pytest.param("35", rounded("down"), "30", "0.025", id="30/6 rounded down"),
        pytest.param("29", rounded("down"), "30", "0.025", id="30/6 rounded down has its minimum"),
        pytest.param("32", rounded("nearest"), "30", "0.025", id="30/6, nearer to 30"),
        pytest.param("33", rounded("nearest"), "36", "0.03", id="30/6, the half goes up"),
        pytest.param(
            "0.4", {"increments": {"rounding": "nearest"}, "connection_fee": "1"}, "0", "0",
            id="rounded to nothing there is no fee",
        ),
        pytest.param("30", COUNTED, "30", "0.025", id="up to 30 s are 30"),
        pytest.param("30.1", COUNTED, "60", "0.05", id="30 to 60 s are 60"),
        pytest.param("61", COUNTED, "72", "0.06", id="past the bands in steps of 12"),
        pytest.param("0", COUNTED, "0", "0", id="nothing is in no band"),
        pytest.param("3", {"amount": "-0.01", "pricing_unit": "1"}, "3", "-0.03", id="a credit"),
        pytest.param(
            "0.5", {"amount": "0.0000000001", "pricing_unit": "1"}, "1", "0.0000000001",
            id="a begun unit",
        ),
        pytest.param(
            "0.5",
            {"amount": "0.0000000001", "pricing_unit": "1", "increments": {"increment": "0.5"}},
            "0.5",
            "0.0000000001",
            id="half of the last decimal rounds away from zero",
        ),
        pytest.param(
            "0.5",
            {"amount": "-0.0000000001", "pricing_unit": "1", "increments": {"increment": "0.5"}},
            "0.5",
            "-0.0000000001",
            id="and so does a negative half",
        ),
        pytest.param(
            "123456789012", {"amount": "0.0000001", "pricing_unit": "1"}, "123456789012",
            "12345.6789012", id="a hundred gigabytes by the byte",
        ),
    ],
)  # fmt: skip
def test_a_per_unit_price_is_units_times_price_plus_fee(
    quantity: str, price: Row, units: str, amount: str
) -> None:
    rated = only(
        rate(events({"quantity": Decimal(quantity)}), book(plan({**PER_MINUTE, **price}))).accepted
    )

    assert (rated["billable_units"], rated["amount"]) == (Decimal(units), Decimal(amount))


@pytest.mark.parametrize(
    ("quantity", "units"),
    [
        pytest.param("10", "0", id="the free seconds"),
        pytest.param("11", "5", id="a band"),
        pytest.param("17", "6", id="7 s left, nearest to 6"),
        pytest.param("19", "12", id="9 s left, the half goes up"),
    ],
)
def test_a_card_has_free_seconds_and_a_rounding_of_its_own(quantity: str, units: str) -> None:
    terms = {
        "free_initial": "10",
        "rounding": "nearest",
        "counted_as": [{"up_to": "5", "units": "5"}],
    }
    rows = card_rows({"prefix": "44", "increment_units": Decimal(6)})
    called = events({"destination": "441", "quantity": Decimal(quantity)})

    rated = only(
        rate(called, book(plan(BY_CARD), cards=[card("card", **terms)], rows=rows)).accepted
    )

    assert rated["billable_units"] == Decimal(units)


@pytest.mark.parametrize(
    ("increments", "words"),
    [
        pytest.param({}, None, id="as measured"),
        pytest.param({"increment": "60"}, "60/60", id="whole minutes"),
        pytest.param({"minimum": "30", "increment": "6"}, "30/6", id="30/6"),
        pytest.param({"minimum": "20", "increment": "6"}, "24/6", id="a minimum between steps"),
        pytest.param(
            {"increment": "0.5", "free_initial": "10", "rounding": "nearest"},
            "10 free, 0.5/0.5, nearest",
            id="free seconds and rounding",
        ),
        pytest.param(COUNTED["increments"], "12/12, by bands", id="bands"),
        pytest.param({"minimum": "5"}, "at least 5", id="a minimum and no increment"),
        pytest.param(
            {"minimum": "30", "increment": "60", "rounding": "down"}, "30/60, down", id="down"
        ),
        pytest.param(
            {"minimum": "20", "increment": "6", "rounding": "nearest"}, "20/6, nearest", id="near"
        ),
    ],
)
def test_a_rated_event_says_in_which_steps_it_was_billed(
    increments: Row, words: str | None
) -> None:
    price = {**PER_MINUTE, "increments": increments}

    assert only(rate(events({}), book(plan(price))).accepted)["increments"] == words


@pytest.mark.parametrize(
    ("quantity", "minimum", "rounding", "units"),
    [
        pytest.param("45", "30", "down", "30", id="45 s are no minute, but the minimum"),
        pytest.param("119", "30", "down", "60", id="one whole minute"),
        pytest.param("1", "30", "down", "30", id="the minimum"),
        pytest.param("0", "30", "down", "0", id="nothing has no minimum"),
        pytest.param("5", "29", "nearest", "29", id="nearer to nothing than to a minute"),
        pytest.param("5", "31", "nearest", "60", id="nearer to a minute"),
    ],
)
def test_a_minimum_stays_one_however_events_are_rounded(
    quantity: str, minimum: str, rounding: str, units: str
) -> None:
    terms = {"minimum": minimum, "increment": "60", "rounding": rounding}
    call = events({"quantity": Decimal(quantity)})

    rated = only(rate(call, book(plan({**PER_MINUTE, "increments": terms}))).accepted)

    assert rated["billable_units"] == Decimal(units)


def test_a_fee_on_nothing_stands_beside_usage_that_is_taken_back() -> None:
    calls = [{"quantity": Decimal(seconds)} for seconds in ("0", "-60")]

    rated = rate(events(*calls), book(plan({**PER_MINUTE, **EVERY}))).accepted

    assert rated.select("connection_fee", "amount").rows() == [
        (Decimal("0.10"), Decimal("0.10")),
        (Decimal("-0.10"), Decimal("-0.15")),
    ]


def test_a_fee_on_usage_within_free_units_has_the_sign_of_what_is_taken_back() -> None:
    """5 s of 10 free are nothing but the fee of 0.10, and as much back."""
    price = {**PER_MINUTE, **EVERY, "increments": {"free_initial": "10"}}
    calls = [{"quantity": Decimal(seconds)} for seconds in ("5", "-5", "0")]

    rated = rate(events(*calls), book(plan(price))).accepted

    fees = [Decimal("0.10"), Decimal("-0.10"), Decimal("0.10")]
    assert rated["connection_fee"].to_list() == fees
    assert rated["amount"].to_list() == fees


def test_a_card_may_ask_its_fee_of_calls_without_a_billable_unit() -> None:
    rows = card_rows({"prefix": "44", "connection_fee": Decimal("0.04")})
    calls = events(*({"destination": to, "quantity": Decimal(0)} for to in ("441", "33")))
    asked = card("card", connection_fee_on="every")

    outcome = rate(calls, book(plan(BY_CARD), cards=[asked], rows=rows))

    assert only(outcome.accepted)["amount"] == Decimal("0.04")
    assert outcome.suspended.get_column("reason").to_list() == ["no_destination"]


def test_a_negative_quantity_takes_back_what_the_positive_one_cost() -> None:
    price = {"connection_fee": "0.10", "increments": {"minimum": "30", "increment": "6"}}
    given = [{"quantity": Decimal(31)}, {"quantity": Decimal(-31)}]

    accepted = rate(events(*given), book(plan({**PER_MINUTE, **price}))).accepted

    assert accepted.get_column("amount").to_list() == [Decimal("0.13"), Decimal("-0.13")]
    assert accepted.select("billable_units", "connection_fee").rows()[1] == (
        Decimal(-36),
        Decimal("-0.10"),
    )


def test_a_rated_event_names_what_priced_it() -> None:
    decks = [card(), card("deck", kind="supplier")]
    rows = card_rows(
        {"prefix": "44", "unit_price": Decimal("0.02"), "name": "UK"},
        {"prefix": "447", "unit_price": Decimal("0.09"), "name": "UK mobile"},
        {
            "card_key": "deck",
            "prefix": "4477",
            "unit_price": Decimal("0.06"),
            "minimum_units": Decimal(60),
            "increment_units": Decimal(60),
        },
    )
    event = {"destination": "447700900123", "quantity": Decimal(90), "origin": "4420"}

    rated = only(
        rate(
            events(event), book(plan({**BY_CARD, "cost_deck": "deck"}), cards=decks, rows=rows)
        ).accepted
    )

    assert rated == {
        "account_key": "a1",
        "subscription_key": "s1",
        "product_key": "usage",
        "price_key": "p1",
        "file_key": "file",
        "record_number": 1,
        "usage_type": "voice",
        "direction": "outbound",
        "started_at": at("2026-03-04T12:00Z"),
        "origin": "4420",
        "destination": "447700900123",
        "quantity": Decimal(90),
        "billable_units": Decimal(90),
        "unit_price": Decimal("0.09"),
        "connection_fee": None,
        "amount": Decimal("0.135"),
        "cost_amount": Decimal("0.12"),
        "currency": "GBP",
        "rate_name": "UK mobile",
        "rate_prefix": "447",
        "rate_band": None,
        "rate_valid_from": dt.date(2026, 1, 1),
        "cost_prefix": "4477",
        "spans": None,
        "meter_group": None,
        "meter_value": None,
        "increments": "1/1",
    }


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        pytest.param({"destination": "331"}, "no prefix of card matches 331", id="no prefix"),
        pytest.param({"destination": "4490"}, "prefix 449 of card is blocked", id="blocked"),
        pytest.param({"destination": None}, "event has no destination", id="no destination"),
        pytest.param({"destination": "bob"}, "no prefix of card matches bob", id="not a number"),
        pytest.param(
            {"destination": "4411", "started_at": at("2025-12-31T23:59:59Z")},
            "no prefix of card matches 4411",
            id="before the card",
        ),
        pytest.param(
            {"destination": "4411", "started_at": at("2026-12-31T23:59:59Z")},
            "no prefix of card matches 4411",
            id="after the card",
        ),
    ],
)
def test_an_event_without_a_destination_price_is_never_free(event: Row, detail: str) -> None:
    rows = card_rows(
        {"prefix": "44", "valid_until": dt.date(2026, 12, 31)},
        {"prefix": "449", "unit_price": None},
    )

    outcome = rate(
        events({**event, "quantity": Decimal(7)}), book(plan(BY_CARD), cards=[card()], rows=rows)
    )

    suspended = only(outcome.suspended)
    assert (suspended["reason"], suspended["detail"]) == ("no_destination", detail)
    assert (suspended["stage"], suspended["quantity"]) == ("rate", Decimal(7))


def test_a_missing_cost_does_not_stop_the_sale() -> None:
    decks = [card(), card("deck", kind="supplier")]
    rows = card_rows({"prefix": "44"}, {"card_key": "deck", "prefix": "33"})

    rated = only(
        rate(
            events({"destination": "441"}),
            book(plan({**BY_CARD, "cost_deck": "deck"}), cards=decks, rows=rows),
        ).accepted
    )

    assert (rated["cost_amount"], rated["cost_prefix"]) == (None, None)


BANDED = card(
    bands=[
        {"key": "peak", "weekdays": ["mon", "tue", "wed", "thu", "fri"], "from_time": "08:00",
         "until_time": "19:00"},
        {"key": "off", "from_time": "00:00", "until_time": "00:00"},
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("started_at", "band", "price"),
    [  # 4 March 2026 is a Wednesday; London is on UTC until 29 March
        pytest.param("2026-03-04T07:59:59.999999Z", "off", "1", id="just before peak"),
        pytest.param("2026-03-04T08:00:00Z", "peak", "2", id="peak begins"),
        pytest.param("2026-03-04T18:59:59Z", "peak", "2", id="a call is priced where it starts"),
        pytest.param("2026-03-04T19:00:00Z", "off", "1", id="peak is over"),
        pytest.param("2026-03-04T23:59:59Z", "off", "1", id="before midnight"),
        pytest.param("2026-03-06T23:59:59Z", "off", "1", id="Friday night"),
        pytest.param("2026-03-07T12:00:00Z", "off", "1", id="weekend"),
        pytest.param("2026-03-30T06:59:59Z", "off", "1", id="07:59 in summer time"),
        pytest.param("2026-03-30T07:00:00Z", "peak", "2", id="08:00 in summer time"),
        pytest.param("2026-10-25T00:30:00Z", "off", "1", id="the hour that comes twice"),
    ],
)
def test_bands_are_told_by_the_tenants_wall_clock(started_at: str, band: str, price: str) -> None:
    rows = card_rows(
        {"prefix": "44", "band": "peak", "unit_price": Decimal(2)},
        {"prefix": "44", "band": "off", "unit_price": Decimal(1)},
    )

    rated = only(
        rate(
            events({"destination": "441", "started_at": at(started_at)}),
            book(plan(BY_CARD), cards=[BANDED], rows=rows),
        ).accepted
    )

    assert (rated["rate_band"], rated["unit_price"]) == (band, Decimal(price))


def test_the_longest_prefix_with_a_price_for_the_moment_goes_first() -> None:
    rows = card_rows(
        {"prefix": "44", "unit_price": Decimal(1)},
        {"prefix": "447", "band": "peak", "unit_price": Decimal(2)},
        {"prefix": "4477", "unit_price": Decimal(3)},
        {"prefix": "4477", "band": "off", "unit_price": Decimal(4)},
    )
    noon, night = at("2026-03-04T12:00Z"), at("2026-03-04T03:00Z")
    calls = [
        {"destination": destination, "started_at": moment}
        for destination in ("4471", "4477")
        for moment in (noon, night)
    ]

    outcome = rate(events(*calls), book(plan(BY_CARD), cards=[BANDED], rows=rows))

    assert outcome.accepted.get_column("unit_price").to_list() == [2, 1, 3, 4]


def test_the_card_version_of_the_local_day_prices_the_event() -> None:
    rows = card_rows(
        {"prefix": "44", "unit_price": Decimal(1), "valid_until": dt.date(2026, 6, 1)},
        {"prefix": "44", "unit_price": Decimal(2), "valid_from": dt.date(2026, 6, 1)},
        {"prefix": "447", "unit_price": Decimal(5)},
    )
    moments = ["2026-05-31T22:59Z", "2026-05-31T23:00Z"]
    calls = [
        {"destination": destination, "started_at": at(moment)}
        for moment in moments
        for destination in ("441", "4471")
    ]

    accepted = rate(events(*calls), book(plan(BY_CARD), cards=[card()], rows=rows)).accepted

    assert accepted.get_column("unit_price").to_list() == [1, 5, 2, 5]
    assert accepted.get_column("rate_valid_from").to_list()[2] == dt.date(2026, 6, 1)


@pytest.mark.parametrize(
    ("carried", "markup", "amount"),
    [
        pytest.param("2", "15", "2.30", id="markup"),
        pytest.param("2", "0", "2", id="as it is"),
        pytest.param("0.0000000001", "50", "0.0000000002", id="half away from zero"),
        pytest.param("-3", "10", "-3.30", id="a credit"),
        pytest.param("0", "10", "0", id="nothing"),
    ],
)
def test_a_carried_price_is_marked_up(carried: str, markup: str, amount: str) -> None:
    declared = plan({"model": "carried", "markup_percent": markup})

    rated = only(rate(events({"carried_amount": Decimal(carried)}), book(declared)).accepted)

    assert (rated["amount"], rated["billable_units"]) == (Decimal(amount), Decimal(60))


@pytest.mark.parametrize(
    ("quantity", "unit_price", "amount"),
    [
        pytest.param("90", "0.046", "0.069", id="90 s at 0.04 a minute and 15 %"),
        pytest.param("-90", "0.046", "-0.069", id="taken back"),
        pytest.param("0", "0.046", "0", id="nothing used"),
    ],
)
def test_a_record_may_carry_the_price_of_a_unit(
    quantity: str, unit_price: str, amount: str
) -> None:
    price = {"model": "carried", "carries": "unit_price", "markup_percent": 15, "pricing_unit": 60}
    called = events({"quantity": Decimal(quantity), "carried_amount": Decimal("0.04")})

    rated = only(rate(called, book(plan(price))).accepted)

    assert (rated["unit_price"], rated["amount"]) == (Decimal(unit_price), Decimal(amount))


def test_a_record_that_should_carry_a_price_and_does_not_is_suspended() -> None:
    outcome = rate(events({}), book(plan({"model": "carried"})))

    assert outcome.suspended.get_column("reason").to_list() == ["invalid_amount"]


@pytest.mark.parametrize(
    "price",
    [
        {"model": "graduated", "tiers": [{"amount": "1"}]},
        {"model": "percentile", "amount": "1"},
        {"model": "latest", "amount": "1"},
    ],
    ids=lambda price: price["model"],
)
def test_an_event_priced_over_the_period_waits_with_amount_zero(price: Row) -> None:
    rated = only(rate(events({"quantity": Decimal("1.5")}), book(plan(price))).accepted)

    assert (rated["amount"], rated["billable_units"]) == (0, Decimal("1.5"))
    assert rated["unit_price"] is None


def test_prices_of_different_models_keep_the_order_of_events() -> None:
    declared = plan(
        {**PER_MINUTE, "applies_to": {"usage_type": "voice"}},
        {"model": "graduated", "tiers": [{"amount": "1"}], "applies_to": {"usage_type": "api"}},
    )
    kinds = ["api", "voice", "fax", "api", "voice"]

    outcome = rate(events(*({"usage_type": kind} for kind in kinds)), book(declared))

    assert outcome.accepted.get_column("usage_type").to_list() == ["api", "voice", "api", "voice"]
    assert outcome.accepted.get_column("price_key").to_list() == ["p2", "p1", "p2", "p1"]
    assert outcome.suspended.get_column("record_number").to_list() == [3]


def test_from_the_day_of_a_change_its_plan_prices_the_subscription() -> None:
    """London is one hour ahead of UTC in June."""
    old, new = plan({**PER_MINUTE}), plan({**PER_MINUTE, "amount": "0.07"}, key="new")
    changes = [
        {"subscription_key": "s1", "effective_on": dt.date(2026, 6, 2), "plan_key": "new"},
        {"subscription_key": "s1", "effective_on": dt.date(2026, 6, 3), "quantity": Decimal(2)},
        {"subscription_key": "s1", "effective_on": dt.date(2026, 6, 5), "plan_key": "new"},
        {"subscription_key": "s1", "effective_on": dt.date(2026, 6, 5), "plan_key": "plan"},
    ]
    moments = ["2026-06-05T00:00Z", "2026-06-01T22:59:59Z", "2026-06-01T23:00Z"]
    calls = [{"started_at": at(moment)} for moment in moments]
    known = book(
        [old, new],
        subscribed=subscriptions({"subscription_key": "s1"}, {"subscription_key": "s2"}),
        changes=frame(SUBSCRIPTION_CHANGES, {}, changes),
    )

    outcome = rate(events(*calls, {"subscription_key": "s2"}, {"subscription_key": "s3"}), known)

    amounts = [Decimal("0.05"), Decimal("0.05"), Decimal("0.07"), Decimal("0.05")]
    assert outcome.accepted.get_column("amount").to_list() == amounts
    assert outcome.suspended.get_column("reason").to_list() == ["no_price"]


def test_a_call_over_a_change_of_price_costs_what_it_did_as_it_began() -> None:
    """Two minutes from half a minute before June: 2 x 0.05; from its first second 2 x 0.08."""
    june = "2026-06-01"
    sold = plan(
        {**PER_MINUTE, "valid_until": june}, {**PER_MINUTE, "amount": "0.08", "valid_from": june}
    )
    calls = [
        {"quantity": Decimal(120), "started_at": at(moment)}
        for moment in ("2026-05-31T22:59:30Z", "2026-05-31T23:00:00Z")
    ]

    rated = rate(events(*calls), book(sold)).accepted

    assert rated.get_column("amount").to_list() == [Decimal("0.10"), Decimal("0.16")]


def test_an_absurd_quantity_is_suspended_and_the_rest_goes_on() -> None:
    declared = plan({**PER_MINUTE, "amount": "1000000"})

    outcome = rate(events({"quantity": Decimal(10**20)}, {"quantity": Decimal(60)}), book(declared))

    assert outcome.accepted.get_column("amount").to_list() == [Decimal(1000000)]
    assert outcome.suspended.get_column("reason").to_list() == ["implausible_quantity"]


def test_no_events_give_empty_frames_with_the_right_columns() -> None:
    outcome = rate(events({}).clear(), book(plan(PER_MINUTE)))

    assert outcome.accepted.schema == RATED_USAGE.polars_schema
    assert outcome.suspended.is_empty()
    assert list(rate_in_slices(events({}).clear(), book(plan(PER_MINUTE)))) == []


def test_no_column_of_rated_usage_is_a_float() -> None:
    assert not any(dtype.is_float() for dtype in RATED_USAGE.polars_schema.dtypes())


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        pytest.param([], "unknown rate card 'card'", id="unknown card"),
        pytest.param([card(currency="USD")], "is in USD, the plan in GBP", id="other currency"),
    ],
)
def test_a_price_needs_its_card_in_its_currency(cards: list[object], message: str) -> None:
    with pytest.raises(ConfigurationRefused, match=message):
        book(plan(BY_CARD), cards=cards)  # type: ignore[arg-type]


def test_a_subscription_needs_a_known_plan() -> None:
    with pytest.raises(ConfigurationRefused, match="unknown plan 'plan'"):
        book(plan(PER_MINUTE, key="other"))


@pytest.mark.parametrize(
    ("unit", "units"),
    [
        pytest.param("s", "61", id="a started second of time is a second"),
        pytest.param("GB", "60.25", id="what is no time is billed as measured"),
    ],
)
def test_without_an_increment_only_time_is_rounded(unit: str, units: str) -> None:
    declared = {**PER_MINUTE, "key": "other", "applies_to": {"usage_type": "other"}}
    prices = ({**PER_MINUTE}, {**declared, "increments": {"increment": 30}})
    event = {"quantity": Decimal("60.25"), "unit": unit}

    alone = only(rate(events(event), book(plan(prices[0]))).accepted)
    beside = only(rate(events(event), book(plan(*prices))).accepted)

    assert alone["billable_units"] == beside["billable_units"] == Decimal(units)
