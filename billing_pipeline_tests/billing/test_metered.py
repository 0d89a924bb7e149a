"""Meters, caps, introductory fees, missing samples: worked by hand, from rated usage to charges."""

import datetime as dt
from decimal import Decimal

import pytest
from pydantic import ValidationError

from billing_pipeline.catalog.plans import Discount
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    Row,
    amounts,
    call,
    charges_of,
    facts,
    plan,
    rated,
    subscriptions,
)
from billing_pipeline_tests.billing.test_usage_over_period import BURST, REQUESTS, measured

METER: dict[str, object] = {**REQUESTS, "model": "metered", "amount": "3"}

# January in New York: 744 hours from 2024-01-01T05:00Z.
READINGS = [
    measured("2024-01-01T05:00", 4, meter_group="north", meter_value="ann"),
    measured("2024-01-09T05:00", 7, meter_group="north", meter_value="bob"),
    measured("2024-01-20T05:00", 5, meter_group="south", meter_value="ann"),
    measured("2024-01-24T23:00", 1, meter_group="south", meter_value="ann"),
]


@pytest.mark.parametrize(
    ("terms", "quantity"),
    [
        pytest.param({"aggregate": "sum"}, "17", id="sum: 4 + 7 + 5 + 1"),
        pytest.param({"aggregate": "count"}, "4", id="count"),
        pytest.param({"aggregate": "max"}, "12", id="highest: 7 in the north, 5 in the south"),
        pytest.param({"aggregate": "latest"}, "8", id="latest: 7 in the north, 1 in the south"),
        pytest.param({"aggregate": "unique", "field": "user"}, "3", id="unique: ann, bob; ann"),
        pytest.param({"aggregate": "percentile", "percentile": 50}, "5", id="median: 4 and 1"),
    ],
)
def test_an_aggregate_is_taken_of_each_group_and_added_up(
    terms: dict[str, object], quantity: str
) -> None:
    given = facts(plans=[plan([METER | terms])], usage=rated(*READINGS))

    charge = charges_of(given, "2024-02-01").row(0, named=True)

    assert charge["quantity"] == Decimal(quantity)
    assert charge["amount"] == Decimal(quantity) * 3


def test_a_value_weighted_over_time_stands_until_the_next() -> None:
    """4 for 8 days of 31, then 7 for 23: (32 + 161) / 31 = 6.2258064516."""
    usage = rated(*(READINGS[:2]))
    given = facts(plans=[plan([METER | {"aggregate": "time_weighted"}])], usage=usage)

    charge = charges_of(given, "2024-02-01").row(0, named=True)

    assert charge["quantity"] == Decimal("6.2258064516")
    assert charge["amount"] == Decimal("18.6774193548")


def test_a_metered_quantity_is_cut_at_tiers() -> None:
    """12 by the groups' highest: 10 at 1.00, 2 at 0.50."""
    tiers = {"amount": None, "tiers": [{"up_to": 10, "amount": 1}, {"amount": "0.5"}]}
    given = facts(plans=[plan([METER | tiers | {"aggregate": "max"}])], usage=rated(*READINGS))

    assert list(amounts(charges_of(given, "2024-02-01")).values()) == [Decimal(11)]


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"aggregate": "unique"}, "give field with aggregate: unique"),
        ({"aggregate": "sum", "field": "user"}, "give field with aggregate: unique"),
        ({"aggregate": "sum", "amount": None}, "give either amount or tiers"),
    ],
)
def test_a_meter_says_what_it_needs(terms: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        plan([METER | terms])


def samples(count: int, direction: str, size: int) -> list[Row]:
    """Five-minute samples from the first instant of January in New York."""
    first = dt.datetime(2024, 1, 1, 5)
    step = dt.timedelta(minutes=5)
    return [
        measured(str(first + n * step), size * (n + 1), direction=direction) for n in range(count)
    ]


def test_missing_samples_count_as_zero_if_the_price_says_so() -> None:
    """31 days have 8,928 samples, of which 446 are dropped. 1,000 came, of 1 to 1,000 kbit/s:
    the 447th highest is 554 kbit/s. Absent, 50 of 1,000 are dropped: the 51st is 950 kbit/s."""
    usage = rated(*samples(1000, "inbound", 1000))

    zero = facts(plans=[plan([BURST | {"missing": "zero"}])], usage=usage)
    absent = facts(plans=[plan([BURST])], usage=usage)

    assert charges_of(zero, "2024-02-01")["quantity"].to_list() == [Decimal(554)]
    assert charges_of(absent, "2024-02-01")["quantity"].to_list() == [Decimal(950)]


def test_too_few_samples_among_zeros_are_zero() -> None:
    """446 of 8,928 are dropped: everything that came."""
    usage = rated(*samples(446, "inbound", 1000))
    given = facts(plans=[plan([BURST | {"missing": "zero"}])], usage=usage)

    assert list(amounts(charges_of(given, "2024-02-01")).values()) == [Decimal(0)]


def test_directions_are_judged_apart_or_added() -> None:
    """20 samples of 1,000 to 20,000 in and of twice that out: of 20 one is dropped. The greater
    is 38 Mbit/s out; added sample by sample it is 57."""
    usage = rated(*samples(20, "inbound", 1000), *samples(20, "outbound", 2000))

    greater = facts(plans=[plan([BURST])], usage=usage)
    added = facts(plans=[plan([BURST | {"directions": "sum"}])], usage=usage)

    assert charges_of(greater, "2024-02-01")["quantity"].to_list() == [Decimal(38)]
    assert charges_of(added, "2024-02-01")["quantity"].to_list() == [Decimal(57)]


TIERS: dict[str, object] = REQUESTS | {
    "tiers": [{"up_to": 10, "amount": "2"}, {"up_to": 20, "amount": "1"}]
}


@pytest.mark.parametrize(
    ("terms", "amount"),
    [
        pytest.param({"model": "graduated"}, "35", id="last: 20 + 10 + 5 x 1"),
        pytest.param({"model": "graduated", "beyond": "free"}, "30", id="free: 20 + 10"),
        pytest.param({"model": "volume"}, "25", id="volume, last: 25 x 1"),
        pytest.param({"model": "volume", "beyond": "free"}, "20", id="volume, free: 20 x 1"),
        pytest.param({"model": "threshold", "beyond": "free"}, "1", id="threshold: the last stair"),
        pytest.param({"model": "graduated", "additional_units": 3}, "38", id="28 units"),
    ],
)
def test_units_past_the_last_tier(terms: dict[str, object], amount: str) -> None:
    given = facts(plans=[plan([TIERS | terms])], usage=rated(measured("2024-01-05T15:00", 25)))

    assert list(amounts(charges_of(given, "2024-02-01")).values()) == [Decimal(amount)]


def test_additional_units_are_owed_with_usage_only() -> None:
    packs = REQUESTS | {"model": "package", "size": 10, "amount": 5, "additional_units": 4}
    used = facts(plans=[plan([packs])], usage=rated(measured("2024-01-05T15:00", 7)))
    none = facts(plans=[plan([packs])], usage=rated(measured("2024-01-05T15:00", 0)))

    assert list(amounts(charges_of(used, "2024-02-01")).values()) == [Decimal(10)]
    assert list(amounts(charges_of(none, "2024-02-01")).values()) == [Decimal(0)]


def test_an_introductory_fee_is_owed_for_the_first_periods() -> None:
    line = LINE | {"introductory": {"amount": "5", "periods": 2}}
    given = facts(plans=[plan([line])])

    assert sorted(amounts(charges_of(given, "2024-04-01")).items()) == [
        ("s1/line/recurring/2024-01-01", Decimal(5)),
        ("s1/line/recurring/2024-02-01", Decimal(5)),
        ("s1/line/recurring/2024-03-01", Decimal(20)),
        ("s1/line/recurring/2024-04-01", Decimal(20)),
    ]


def test_a_period_never_owes_more_than_its_maximum() -> None:
    """50 minutes at 0.05 are 2.50, at most 2.00; the month after only 1.00 is used."""
    capped = MINUTES | {"period_maximum": "2"}
    usage = rated(call("2024-01-05T15:00", 3000), call("2024-02-05T15:00", 1200))
    given = facts(plans=[plan([capped])], usage=usage)

    assert sorted(amounts(charges_of(given, "2024-03-01")).items()) == [
        ("s1/maximum:minutes/discount/2024-01-01", Decimal("-0.5")),
        ("s1/minutes/usage/2024-01-01", Decimal("2.5")),
        ("s1/minutes/usage/2024-02-01", Decimal(1)),
    ]


def test_the_maximum_comes_after_discounts() -> None:
    """2.50 less 10 % is 2.25; the maximum of 2.00 takes 0.25 more."""
    discount = Discount(key="tenth", name="A tenth", product="rebate", percent_off=Decimal(10))
    given = facts(
        plans=[plan([MINUTES | {"period_maximum": "2"}])],
        discounts=[discount],
        of_subscriptions=subscriptions({"discount_key": "tenth"}),
        usage=rated(call("2024-01-05T15:00", 3000)),
    )

    assert sorted(amounts(charges_of(given, "2024-02-01")).values()) == [
        Decimal("-0.25"),
        Decimal("-0.25"),
        Decimal("2.5"),
    ]
