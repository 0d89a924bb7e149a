"""Usage priced over the period: tiers, percentiles, counts, included units."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.billing.taken import taken_by_events
from billing_pipeline_tests.billing.given import (
    MINUTES,
    Row,
    all_accounts,
    amounts,
    call,
    charges_of,
    day,
    facts,
    plan,
    rated,
)

REQUESTS = {"key": "requests", "product": "requests", "applies_to": {"usage_type": "api"}}
GIGABYTES = REQUESTS | {
    "model": "graduated",
    "unit": "GB",
    "tiers": [
        {"up_to": 10, "amount": "1"},
        {"up_to": 20, "amount": "1.25"},
        {"up_to": 50, "amount": "1.5"},
        {"amount": "2"},
    ],
}
BURST = REQUESTS | {"model": "percentile", "amount": "3", "pricing_unit": 1000, "unit": "Mbit/s"}
SEATS = REQUESTS | {"model": "latest", "amount": "7", "unit": "seat"}


def measured(at: str, quantity: int, **terms: object) -> Row:
    """An event whose price waits for the end of the period."""
    return {
        "started_at": dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC),
        "price_key": "requests",
        "product_key": "requests",
        "quantity": Decimal(quantity),
        "billable_units": Decimal(quantity),
        "amount": Decimal(0),
        **terms,
    }


def test_55_gigabytes_over_four_tiers_are_77_dollars_50() -> None:
    """10 x 1 + 10 x 1.25 + 30 x 1.5 + 5 x 2 = 77.50, however many events they came in."""
    events = [measured(f"2024-01-{n:02d}T15:00", 5) for n in range(1, 12)]
    given = facts(plans=[plan([GIGABYTES])], usage=rated(*events))

    charge = charges_of(given, "2024-02-01").row(0, named=True)

    assert (charge["amount"], charge["quantity"]) == (Decimal("77.5"), Decimal(55))
    assert (charge["unit"], charge["unit_price"], charge["events"]) == ("GB", None, 11)


def test_tiers_begin_anew_with_each_period() -> None:
    events = [measured("2024-01-05T15:00", 10), measured("2024-02-05T15:00", 10)]
    given = facts(plans=[plan([GIGABYTES])], usage=rated(*events))

    assert list(amounts(charges_of(given, "2024-03-01")).values()) == [Decimal(10), Decimal(10)]


def test_tiers_are_those_in_force_when_the_period_begins() -> None:
    new = GIGABYTES | {"valid_from": day("2024-01-15"), "tiers": [{"amount": "100"}]}
    old = GIGABYTES | {"valid_until": day("2024-01-15")}
    events = [measured("2024-01-20T15:00", 1), measured("2024-02-20T15:00", 1)]
    given = facts(plans=[plan([old, new])], usage=rated(*events))

    assert list(amounts(charges_of(given, "2024-03-01")).values()) == [Decimal(1), Decimal(100)]


def test_the_top_five_per_cent_of_samples_are_dropped() -> None:
    """Of 1,000 to 20,000 one sample of twenty is dropped: 19,000 bit/s at 3 a thousand."""
    first = dt.datetime(2024, 1, 5)
    samples = [
        measured(str(first + n * dt.timedelta(minutes=5)), 1000 * (n + 1), direction="inbound")
        for n in range(20)
    ]
    given = facts(plans=[plan([BURST])], usage=rated(*samples))

    charge = charges_of(given, "2024-02-01").row(0, named=True)

    assert (charge["quantity"], charge["amount"]) == (Decimal(19), Decimal(57))
    assert (charge["unit_price"], charge["events"]) == (Decimal(3), 20)


@pytest.mark.parametrize(
    ("events", "amount"),
    [pytest.param([], "15", id="silent"), pytest.param([7000], "21", id="above the commit")],
)
def test_a_commit_is_owed_without_a_sample_too(events: list[int], amount: str) -> None:
    usage = rated(*(measured("2024-01-05T15:00", quantity) for quantity in events))
    given = facts(plans=[plan([BURST | {"commit": 5}])], usage=usage)

    assert amounts(charges_of(given, "2024-02-01")) == {
        "s1/requests/usage/2024-01-01": Decimal(amount)
    }


def test_the_last_count_of_the_period_is_charged() -> None:
    counts = [measured("2024-01-31T15:00", 12), measured("2024-01-15T15:00", 40)]
    given = facts(plans=[plan([SEATS])], usage=rated(*counts))

    charge = charges_of(given, "2024-02-01").row(0, named=True)

    assert (charge["quantity"], charge["amount"]) == (Decimal(12), Decimal(84))


INCLUDED = [{"key": "free", "units": 100, "prices": ["minutes"]}]


@pytest.mark.parametrize(
    ("minutes", "amount", "text"),
    [
        pytest.param([60, 30], "0", "Minutes (90 min included)", id="all included"),
        # 60 are taken whole, 40 of the second 60; 20 minutes at 0.05 are left.
        pytest.param([60, 60], "1", "Minutes (100 min included)", id="an event is split"),
        pytest.param([150], "2.5", "Minutes (100 min included)", id="one event alone"),
    ],
)
def test_included_units_are_taken_before_anything_is_priced(
    minutes: list[int], amount: str, text: str
) -> None:
    calls = [call(f"2024-01-0{n}T15:00", 60 * m) for n, m in enumerate(minutes, start=1)]
    given = facts(plans=[plan([MINUTES], included_units=INCLUDED)], usage=rated(*calls))

    charge = charges_of(given, "2024-02-01").row(0, named=True)

    assert (charge["amount"], charge["description"]) == (Decimal(amount), text)


@pytest.mark.parametrize(
    ("fee_on", "amount"),
    [
        pytest.param("used", "0.60", id="0.10 and 10 x 0.05 of the second call"),
        pytest.param("included", "0.70", id="and 0.10 of the first"),
    ],
)
def test_a_call_that_is_wholly_included_owes_its_fee_where_the_price_says_so(
    fee_on: str, amount: str
) -> None:
    price = {**MINUTES, "connection_fee": "0.10", "connection_fee_on": fee_on}
    fee = Decimal("0.10")
    calls = [
        call(f"2024-01-0{n}T12:00", 60 * minutes, connection_fee=fee,
             amount=Decimal("0.05") * minutes + fee)
        for n, minutes in ((5, 60), (6, 50))
    ]  # fmt: skip
    included = [{"key": "free", "units": 100, "prices": ["minutes"]}]
    given = facts(plans=[plan([price], included_units=included)], usage=rated(*calls))

    assert list(amounts(charges_of(given, "2024-02-01")).values()) == [Decimal(amount)]


def test_every_event_tells_what_it_took_of_included_units() -> None:
    """100 minutes: 3,600 s of the first call, 2,400 of the second, none of the third."""
    included = [{"key": "free", "units": 100, "prices": ["minutes"]}]
    calls = [call(f"2024-01-0{n}T12:00", 3600) for n in (7, 6, 5)]
    given = facts(plans=[plan([MINUTES], included_units=included)], usage=rated(*calls))

    taken = taken_by_events(given, all_accounts(given), day("2024-02-01"))

    assert sorted(taken.select("record_number", "included_units").rows()) == [
        (2, Decimal(2400)),
        (3, Decimal(3600)),
    ]
    assert taken_by_events(given, all_accounts(given), day("2024-01-31")).is_empty()


def test_included_units_are_given_anew_in_each_period() -> None:
    calls = [call("2024-01-05T15:00", 6000), call("2024-02-05T15:00", 6060)]
    given = facts(plans=[plan([MINUTES], included_units=INCLUDED)], usage=rated(*calls))

    assert list(amounts(charges_of(given, "2024-03-01")).values()) == [Decimal(0), Decimal("0.05")]


def test_two_pools_of_a_plan_are_emptied_in_their_order() -> None:
    """180 minutes: 100 from the first pool, 50 from the second, 30 at 0.05 are left."""
    pools = [*INCLUDED, {"key": "more", "units": 50, "prices": ["minutes"]}]
    given = facts(
        plans=[plan([MINUTES], included_units=pools)],
        usage=rated(call("2024-01-05T15:00", 180 * 60)),
    )

    assert list(amounts(charges_of(given, "2024-02-01")).values()) == [Decimal("1.5")]


def test_prices_that_share_a_pool_take_from_it_in_event_order() -> None:
    night = MINUTES | {"key": "night", "amount": "0.01", "applies_to": {"usage_type": "night"}}
    both = [{"key": "free", "units": 100, "prices": ["minutes", "night"]}]
    at_night = {"price_key": "night", "unit_price": Decimal("0.01")}
    given = facts(
        plans=[plan([MINUTES, night], included_units=both)],
        usage=rated(
            call("2024-01-06T15:00", 6000),
            call("2024-01-05T15:00", 1200, amount=Decimal("0.2"), **at_night),
        ),
    )

    # The night call came first and takes 20, the day call 80 and pays for 20.
    assert amounts(charges_of(given, "2024-02-01")) == {
        "s1/minutes/usage/2024-01-01": Decimal(1),
        "s1/night/usage/2024-01-01": Decimal(0),
    }


def test_included_units_come_before_tiers() -> None:
    """15 GB less 5 included are 10 GB at 1."""
    pools = [{"key": "free", "units": 5, "prices": ["requests"]}]
    given = facts(
        plans=[plan([GIGABYTES], included_units=pools)],
        usage=rated(measured("2024-01-05T15:00", 15)),
    )

    assert charges_of(given, "2024-02-01").select(pl.col("amount", "quantity")).rows() == [
        (Decimal(10), Decimal(10))
    ]
