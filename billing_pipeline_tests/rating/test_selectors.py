"""Which price takes which event."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.selection import ambiguous_prices
from billing_pipeline.rating.rate import rate
from billing_pipeline.vocabulary.problems import ConfigurationRefused
from billing_pipeline_tests.rating.given import Row, at, book, events, plan, subscriptions


def per_unit(applies_to: Row, **fields: object) -> Row:
    return {"model": "per_unit", "amount": "1", "applies_to": applies_to, **fields}


def taken_by(event: Row, *prices: Row) -> str | None:
    outcome = rate(events(event), book(plan(*prices)))
    if outcome.accepted.is_empty():
        assert outcome.suspended.get_column("reason").to_list() == ["no_price"]
        return None
    return str(outcome.accepted.get_column("price_key").item())


INBOUND = per_unit({"usage_type": "voice", "direction": "inbound"}, key="inbound", priority=10)
ANY_VOICE = per_unit({"usage_type": "voice"}, key="any_voice", priority=20)
TOLL_FREE = per_unit(
    {"usage_type": "voice", "attributes": {"class": "toll free", "a.b": "1"}},
    key="toll_free",
    priority=5,
)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param({"direction": "inbound"}, "inbound", id="lowest priority first"),
        pytest.param({"direction": "outbound"}, "any_voice", id="the next that fits"),
        pytest.param({"direction": None}, "any_voice", id="no direction fits any"),
        pytest.param({"usage_type": "sms"}, None, id="nobody takes it"),
        pytest.param(
            {"attributes": '{"a.b":"1","class":"toll free"}'}, "toll_free", id="attributes"
        ),
        pytest.param(
            {"attributes": '{"a.b":"2","class":"toll free"}'}, "any_voice", id="another attribute"
        ),
        pytest.param({"attributes": '{"a.b":1,"class":"toll free"}'}, "toll_free", id="a number"),
        pytest.param({"attributes": "{}"}, "any_voice", id="no attributes"),
    ],
)
def test_the_first_price_by_priority_that_fits_takes_the_event(
    event: Row, expected: str | None
) -> None:
    assert taken_by(event, ANY_VOICE, INBOUND, TOLL_FREE) == expected


def test_many_values_are_told_apart_as_well_as_few() -> None:
    kinds = [f"kind{number}" for number in range(12)]
    prices = [per_unit({"usage_type": kind}, key=kind) for kind in kinds]

    assert [taken_by({"usage_type": kind}, *prices) for kind in kinds] == kinds
    assert taken_by({"usage_type": "other"}, *prices) is None


@pytest.mark.parametrize(
    ("started_at", "expected"),
    [  # London is one hour ahead of UTC in June
        pytest.param("2026-05-31T22:59:59Z", "old", id="last local second of May"),
        pytest.param("2026-05-31T23:00:00Z", "new", id="first local second of June"),
        pytest.param("2026-06-30T22:59:59Z", "new", id="last day of the price"),
        pytest.param("2026-06-30T23:00:00Z", None, id="after the last price"),
        pytest.param("1999-12-31T00:00:00Z", None, id="before the first price"),
    ],
)
def test_the_price_in_force_on_the_local_day_of_the_start_is_taken(
    started_at: str, expected: str | None
) -> None:
    old = per_unit({"usage_type": "voice"}, key="old", valid_until="2026-06-01")
    new = per_unit(
        {"usage_type": "voice"}, key="new", valid_from="2026-06-01", valid_until="2026-07-01"
    )

    assert taken_by({"started_at": at(started_at)}, old, new) == expected


def test_each_subscription_has_the_prices_of_its_plan() -> None:
    cheap = plan(per_unit({"usage_type": "voice"}), key="cheap", currency="EUR")
    dear = plan(per_unit({"usage_type": "voice"}, amount="3"), key="dear")
    subscribed = subscriptions(
        {"subscription_key": "s1", "plan_key": "cheap"},
        {"subscription_key": "s2", "plan_key": "dear"},
    )

    outcome = rate(
        events({"subscription_key": "s2"}, {"subscription_key": "s1"}, {"subscription_key": "s3"}),
        book([cheap, dear], subscribed=subscribed),
    )

    assert outcome.accepted.select("amount", "currency").rows() == [
        (Decimal(180), "GBP"),
        (Decimal(60), "EUR"),
    ]
    assert outcome.suspended.get_column("detail").to_list() == ["subscription s3 has no plan"]


def test_suspense_says_what_no_price_takes() -> None:
    outcome = rate(events({"usage_type": "fax"}), book(plan(ANY_VOICE)))

    assert outcome.suspended.get_column("detail").to_list() == [
        "no price of plan plan takes usage type fax, direction outbound on 2026-03-04"
    ]


WEEKEND = {"weekdays": ["sat", "sun", "holiday"]}
EVENING = {"from_time": "20:00", "until_time": "06:00"}
TO_FRANCE = per_unit({"usage_type": "voice", "destinations": ["33", "262"]}, key="france")
AT_REST = per_unit(
    {"usage_type": "voice", "times": [WEEKEND, EVENING], "holidays": ["2026-04-03"]},
    key="rest",
    priority=1,
)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param({"destination": "33123"}, "france", id="to France"),
        pytest.param({"destination": "262123"}, "france", id="to Reunion"),
        pytest.param({"destination": "34123"}, None, id="to Spain"),
        pytest.param({"destination": None}, None, id="to nobody"),
        pytest.param({"started_at": at("2026-03-07T12:00:00Z")}, "rest", id="on Saturday"),
        pytest.param({"started_at": at("2026-04-03T12:00:00Z")}, "rest", id="on Good Friday"),
        pytest.param({"started_at": at("2026-03-04T20:00:00Z")}, "rest", id="in the evening"),
        # British Summer Time: 18:59:59 UTC is 19:59:59.
        pytest.param({"started_at": at("2026-06-03T18:59:59Z")}, None, id="before the evening"),
        pytest.param({"started_at": at("2026-06-03T19:00:00Z")}, "rest", id="a summer evening"),
    ],
)
def test_a_price_takes_events_by_destination_and_local_time(
    event: Row, expected: str | None
) -> None:
    assert taken_by(event, TO_FRANCE, AT_REST) == expected


VOICE: Row = {"usage_type": "voice"}


@pytest.mark.parametrize(
    ("first", "second", "is_ambiguous"),
    [
        pytest.param(per_unit(VOICE), per_unit(VOICE), True, id="the same selector"),
        pytest.param(per_unit(VOICE), per_unit({"usage_type": "sms"}), False, id="other usage"),
        pytest.param(
            per_unit(VOICE), per_unit({**VOICE, "direction": "inbound"}), True, id="one is wider"
        ),
        pytest.param(
            per_unit({**VOICE, "direction": "outbound"}),
            per_unit({**VOICE, "direction": "inbound"}),
            False,
            id="directions differ",
        ),
        pytest.param(
            per_unit({**VOICE, "attributes": {"a": "1"}}),
            per_unit({**VOICE, "attributes": {"b": "1"}}),
            True,
            id="an event could have both attributes",
        ),
        pytest.param(
            per_unit({**VOICE, "attributes": {"a": "1"}}),
            per_unit({**VOICE, "attributes": {"a": "2"}}),
            False,
            id="attribute values differ",
        ),
        pytest.param(per_unit(VOICE, priority=1), per_unit(VOICE), False, id="priorities differ"),
        pytest.param(
            per_unit({**VOICE, "destinations": ["44"]}),
            per_unit({**VOICE, "destinations": ["33", "447"]}),
            True,
            id="one prefix lies in another",
        ),
        pytest.param(
            per_unit({**VOICE, "destinations": ["44"]}),
            per_unit({**VOICE, "destinations": ["33"]}),
            False,
            id="prefixes differ",
        ),
        pytest.param(
            per_unit({**VOICE, "times": [EVENING]}),
            per_unit({**VOICE, "times": [{"from_time": "05:00", "until_time": "09:00"}]}),
            True,
            id="hours overlap after midnight",
        ),
        pytest.param(
            per_unit({**VOICE, "times": [EVENING]}),
            per_unit({**VOICE, "times": [{"from_time": "06:00", "until_time": "20:00"}]}),
            False,
            id="day and night",
        ),
        pytest.param(
            per_unit({**VOICE, "times": [{"weekdays": ["mon", "sat"]}]}),
            per_unit({**VOICE, "times": [WEEKEND]}),
            True,
            id="both hold on Saturday",
        ),
        pytest.param(
            per_unit({**VOICE, "times": [{"weekdays": ["holiday"]}], "holidays": ["2026-05-04"]}),
            per_unit({**VOICE, "times": [{"weekdays": ["mon"]}]}),
            True,
            id="a holiday of one is a Monday of the other",
        ),
        pytest.param(
            per_unit({**VOICE, "times": [{"from_day": "11-01", "until_day": "03-01"}]}),
            per_unit({**VOICE, "times": [{"from_day": "03-01", "until_day": "11-01"}]}),
            False,
            id="winter and summer",
        ),
        pytest.param(
            per_unit({**VOICE, "times": [{"from_day": "11-01", "until_day": "03-01"}]}),
            per_unit({**VOICE, "times": [{"from_day": "02-01", "until_day": "11-01"}]}),
            True,
            id="both hold in February",
        ),
        pytest.param(
            per_unit(VOICE, valid_until="2026-01-01"),
            per_unit(VOICE, valid_from="2026-01-01"),
            False,
            id="one follows the other",
        ),
    ],
)
def test_prices_that_take_the_same_event_equally_are_a_mistake(
    first: Row, second: Row, *, is_ambiguous: bool
) -> None:
    declared = plan(first, second)

    assert len(ambiguous_prices(declared)) == int(is_ambiguous)
    if is_ambiguous:
        with pytest.raises(ConfigurationRefused, match="same priority"):
            book(declared)


def test_a_plan_without_usage_prices_takes_nothing() -> None:
    flat = Plan.model_validate(
        {
            "key": "plan",
            "name": "Plan",
            "currency": "GBP",
            "prices": [{"key": "fee", "product": "fee", "model": "flat", "amount": "20"}],
        }
    )

    outcome = rate(events({}), book(flat))

    assert outcome.suspended.get_column("reason").to_list() == ["no_price"]


def test_spans_before_and_after_every_price_are_told_apart() -> None:
    price = per_unit(VOICE, valid_from="2026-03-01", valid_until="2026-04-01")
    days = [dt.date(2026, 2, 28), dt.date(2026, 3, 1), dt.date(2026, 3, 31), dt.date(2026, 4, 1)]
    noons = [{"started_at": dt.datetime.combine(day, dt.time(12), dt.UTC)} for day in days]

    outcome = rate(events(*noons), book(plan(price)))

    assert outcome.accepted.get_column("started_at").dt.date().to_list() == days[1:3]
    assert outcome.suspended.select(pl.col("started_at").dt.date()).to_series().to_list() == [
        days[0],
        days[3],
    ]
