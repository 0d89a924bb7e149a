"""Usage charges: which events belong to which period, and what they come to."""

from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.billing.unbilled import unbilled_usage
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    accounts,
    all_accounts,
    amounts,
    call,
    changes,
    charges_of,
    day,
    facts,
    plan,
    rated,
    subscriptions,
)

METERED = plan([MINUTES])


@pytest.mark.parametrize(
    ("at", "month"),
    [
        pytest.param("2024-04-01T03:59:59", "2024-03-01", id="last second of March in New York"),
        pytest.param("2024-04-01T04:00:00", "2024-04-01", id="first second of April"),
        # 10 March 2024 has 23 hours in New York; 3 November 25.
        pytest.param("2024-03-10T04:59:59", "2024-03-01", id="before the short day"),
        pytest.param("2024-11-04T04:59:59", "2024-11-01", id="end of the long day"),
        pytest.param("2024-12-01T04:59:59", "2024-11-01", id="winter"),
    ],
)
def test_an_event_belongs_to_the_period_of_its_local_day(at: str, month: str) -> None:
    given = facts(plans=[METERED], usage=rated(call(at, 60)))

    charges = charges_of(given, "2025-01-01")

    assert amounts(charges) == {f"s1/minutes/usage/{month}": Decimal("0.05")}


@pytest.mark.parametrize(
    ("opened_on", "at", "service_from"),
    [
        pytest.param("2024-03-10", "2024-03-10T05:00", "2024-03-10", id="anchor on a 23-hour day"),
        pytest.param("2024-03-10", "2024-04-10T03:59", "2024-03-10", id="its last minute"),
        pytest.param("2024-11-03", "2024-11-03T04:00", "2024-11-03", id="anchor on a 25-hour day"),
        pytest.param("2024-11-03", "2024-12-03T04:59", "2024-11-03", id="its last minute too"),
    ],
)
def test_periods_begin_at_local_midnight_when_clocks_change(
    opened_on: str, at: str, service_from: str
) -> None:
    given = facts(
        plans=[METERED],
        of_accounts=accounts({"account_key": "a1", "opened_on": day(opened_on)}),
        of_subscriptions=subscriptions({"started_on": day(opened_on)}),
        usage=rated(call(at, 60)),
    )

    assert list(amounts(charges_of(given, "2025-02-01"))) == [f"s1/minutes/usage/{service_from}"]


def test_usage_of_an_open_period_waits() -> None:
    given = facts(plans=[METERED], usage=rated(call("2024-01-05T12:00", 60)))

    assert charges_of(given, "2024-01-31").is_empty()
    assert charges_of(given, "2024-02-01").height == 1


def test_a_subscription_that_ends_is_billed_its_usage_on_that_day() -> None:
    given = facts(
        plans=[METERED],
        of_subscriptions=subscriptions({"ended_on": day("2024-01-10")}),
        usage=rated(call("2024-01-05T12:00", 60)),
    )

    charge = charges_of(given, "2024-01-10").row(0, named=True)

    assert charge["service_until"] == charge["bill_from"] == day("2024-01-10")


def test_conversion_is_rounded_over_the_period_and_not_per_event() -> None:
    """Six calls of one second are 0.1 min x 0.05 = 0.005; six rounded parts 0.0049999998."""
    calls = [call(f"2024-01-0{n}T12:00", 1) for n in range(1, 7)]
    given = facts(plans=[METERED], usage=rated(*calls))

    assert list(amounts(charges_of(given, "2024-02-01")).values()) == [Decimal("0.005")]


def test_units_whose_records_carry_one_price_are_added_up_before_they_are_priced() -> None:
    """6 s at 0.05 a minute are 0.005; with 60 s at 0.06 together 0.065, at no one price."""
    carried = {**MINUTES, "model": "carried", "carries": "unit_price"}
    del carried["amount"]
    calls = [call(f"2024-01-0{n}T12:00", 1) for n in range(1, 7)]
    other = call("2024-01-08T12:00", 60, unit_price=Decimal("0.06"), amount=Decimal("0.06"))

    equal, mixed = (
        charges_of(facts(plans=[plan([carried])], usage=rated(*used)), "2024-02-01").row(
            0, named=True
        )
        for used in (calls, [*calls, other])
    )

    assert (equal["amount"], equal["unit_price"]) == (Decimal("0.005"), Decimal("0.05"))
    assert (mixed["amount"], mixed["unit_price"]) == (Decimal("0.065"), None)


def test_fees_and_caps_of_events_stand_as_rated() -> None:
    """60 s at 0.05 plus 0.10 to connect is 0.15; a call capped at 0.30 stays there."""
    with_fee = call("2024-01-05T12:00", 60, connection_fee=Decimal("0.10"), amount=Decimal("0.15"))
    capped = call("2024-01-06T12:00", 6000, unit_price=Decimal("0.06"), amount=Decimal("0.30"))
    given = facts(plans=[METERED], usage=rated(with_fee, capped))

    charge = charges_of(given, "2024-02-01").row(0, named=True)

    assert charge["amount"] == Decimal("0.45")
    assert charge["unit_price"] is None


def test_usage_of_a_paid_account_is_charged_to_the_account_that_used() -> None:
    given = facts(
        plans=[METERED],
        of_accounts=accounts(
            {"account_key": "a1", "opened_on": day("2024-01-10")},
            {"account_key": "a2", "payer_key": "a1", "opened_on": day("2024-01-20")},
        ),
        of_subscriptions=subscriptions({"account_key": "a2", "started_on": day("2024-01-20")}),
        usage=rated(call("2024-02-09T12:00", 60), call("2024-02-11T12:00", 60)),
    )

    charges = charges_of(given, "2024-03-10")

    assert set(charges.get_column("account_key")) == {"a2"}
    # Periods of what a1 pays begin on the 10th, the day a1 was opened.
    assert list(amounts(charges)) == [
        "s1/minutes/usage/2024-01-20",
        "s1/minutes/usage/2024-02-10",
    ]


def test_prices_of_one_plan_are_charged_apart() -> None:
    night = MINUTES | {"key": "night", "applies_to": {"usage_type": "night"}}
    given = facts(
        plans=[plan([LINE, MINUTES, night])],
        usage=rated(call("2024-01-05T12:00", 60), call("2024-01-05T12:00", 120, price_key="night")),
    )

    usage = charges_of(given, "2024-02-01").filter(pl.col("charge_kind") == "usage")

    assert amounts(usage) == {
        "s1/minutes/usage/2024-01-01": Decimal("0.05"),
        "s1/night/usage/2024-01-01": Decimal("0.10"),
    }


def test_usage_that_no_charge_takes_is_counted() -> None:
    """Before the start, under a plan since left, and after the end; one call is billed."""
    other = plan([MINUTES | {"key": "other"}], key="other")
    given = facts(
        plans=[METERED, other],
        of_subscriptions=subscriptions(
            {"started_on": day("2024-01-10"), "ended_on": day("2024-01-25")}
        ),
        of_changes=changes({"effective_on": day("2024-01-20"), "plan_key": "other"}),
        usage=rated(*(call(f"2024-01-{n}T15:00", 60) for n in ("05", "15", "22", "28"))),
    )

    unbilled = unbilled_usage(given, all_accounts(given), day("2024-02-01"))

    assert unbilled.get_column("local_date").to_list() == [
        day("2024-01-05"),
        day("2024-01-22"),
        day("2024-01-28"),
    ]
    assert charges_of(given, "2024-02-01").get_column("events").sum() + unbilled.height == 4
