"""Charges that should exist, each figure worked by hand."""

from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.spans import UnknownReference
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    Row,
    accounts,
    amounts,
    call,
    charges_of,
    day,
    facts,
    plan,
    rated,
    subscriptions,
)


def test_a_twenty_dollar_subscription_and_100_minutes_at_five_cents_are_25_dollars() -> None:
    """20 + 100 x 0.05 = 25, at charge level: the fee in advance, the minutes in arrears."""
    calls = [
        call(f"2024-01-{1 + n % 28:02d}T15:{n % 60:02d}", 30 + 60 * (n % 2)) for n in range(100)
    ]
    given = facts(plans=[plan([LINE, MINUTES])], usage=rated(*calls))

    january = charges_of(given, "2024-02-01").filter(pl.col("service_from") == day("2024-01-01"))

    assert amounts(january) == {
        "s1/line/recurring/2024-01-01": Decimal(20),
        "s1/minutes/usage/2024-01-01": Decimal(5),
    }
    minutes = january.row(by_predicate=pl.col("charge_kind") == "usage", named=True)
    assert (minutes["quantity"], minutes["unit"]) == (Decimal(100), "min")
    assert (minutes["unit_price"], minutes["events"]) == (Decimal("0.05"), 100)
    assert minutes["bill_from"] == day("2024-02-01")


@pytest.mark.parametrize(
    ("timing", "bill_day", "billed"),
    [
        pytest.param("advance", "2024-01-01", ["2024-01-01"], id="advance: on the first day"),
        pytest.param("advance", "2024-02-01", ["2024-01-01", "2024-02-01"], id="advance: next"),
        pytest.param("arrears", "2024-01-31", [], id="arrears: not before the period is over"),
        pytest.param("arrears", "2024-02-01", ["2024-01-01"], id="arrears: the day after"),
    ],
)
def test_a_fee_is_billed_at_the_end_of_the_period_its_timing_says(
    timing: str, bill_day: str, billed: list[str]
) -> None:
    given = facts(plans=[plan([LINE | {"timing": timing}])])

    charges = charges_of(given, bill_day)

    assert charges.get_column("service_from").to_list() == [day(text) for text in billed]


@pytest.mark.parametrize(
    ("opened_on", "expected"),
    [
        pytest.param("2024-01-29", ["2024-01-29", "2024-02-29", "2024-03-29"], id="29 January"),
        pytest.param("2023-01-30", ["2023-01-30", "2023-02-28", "2023-03-30"], id="30 January"),
        pytest.param("2023-01-31", ["2023-01-31", "2023-02-28", "2023-03-31"], id="31 January"),
    ],
)
def test_anniversary_periods_come_back_to_the_day_the_account_was_opened(
    opened_on: str, expected: list[str]
) -> None:
    given = facts(
        of_accounts=accounts({"account_key": "a1", "opened_on": day(opened_on)}),
        of_subscriptions=subscriptions({"started_on": day(opened_on)}),
    )

    charges = charges_of(given, expected[-1])

    assert charges.get_column("service_from").to_list() == [day(text) for text in expected]
    assert charges.get_column("amount").to_list() == [Decimal(20)] * 3


@pytest.mark.parametrize(
    ("terms", "plan_terms", "expected"),
    [
        pytest.param(
            {"started_on": day("2024-01-16")},
            {"cycle": {"anchor": "calendar"}},
            # 16 of 31 days: 20 x 16 / 31
            {"2024-01-16": ("10.3225806452", "actual_days 16/31")},
            id="start inside a calendar month",
        ),
        pytest.param(
            {"ended_on": day("2024-01-16")},
            {},
            # 15 of 31 days: the day it ends is not charged
            {"2024-01-01": ("9.6774193548", "actual_days 15/31")},
            id="end inside a month",
        ),
        pytest.param(
            {},
            {"trial_days": 14},
            # 17 of 31 days: the trial shortens the days and not the denominator
            {"2024-01-15": ("10.9677419355", "actual_days 17/31")},
            id="trial",
        ),
        pytest.param({"ended_on": day("2024-01-10")}, {"trial_days": 14}, {}, id="cancel in trial"),
        pytest.param(
            {"quantity": Decimal("2.5")},
            {},
            {"2024-01-01": ("50", "actual_days 31/31")},
            id="quantity",
        ),
        pytest.param({"ended_on": day("2024-01-01")}, {}, {}, id="never began"),
    ],
)
def test_a_part_of_a_period_is_charged_in_part(
    terms: Row, plan_terms: Row, expected: dict[str, tuple[str, str]]
) -> None:
    given = facts(plans=[plan(**plan_terms)], of_subscriptions=subscriptions(terms))

    charges = charges_of(given, "2024-01-31")

    assert {
        str(row["service_from"]): (row["amount"], row["proration"])
        for row in charges.iter_rows(named=True)
    } == {key: (Decimal(amount), rule) for key, (amount, rule) in expected.items()}


def test_a_fee_that_is_not_prorated_is_owed_in_full() -> None:
    given = facts(
        plans=[plan([LINE | {"proration": "none"}])],
        of_subscriptions=subscriptions({"ended_on": day("2024-01-02")}),
    )

    assert amounts(charges_of(given, "2024-02-01")) == {"s1/line/recurring/2024-01-01": Decimal(20)}


def test_each_of_two_prices_is_owed_for_its_own_days() -> None:
    """Ten days at 20 and 21 days at 31: 20 x 10 / 31 and 31 x 21 / 31."""
    old = LINE | {"valid_until": day("2024-01-11")}
    new = LINE | {"valid_from": day("2024-01-11"), "amount": "31"}
    given = facts(plans=[plan([old, new])])

    assert amounts(charges_of(given, "2024-01-01")) == {
        "s1/line/recurring/2024-01-01": Decimal("6.4516129032"),
        "s1/line/recurring/2024-01-11": Decimal(21),
    }


def test_a_trial_is_not_billed_before_it_is_over() -> None:
    given = facts(plans=[plan(trial_days=14)])

    assert charges_of(given, "2024-01-14").is_empty()
    assert charges_of(given, "2024-01-15").height == 1


def test_a_one_time_fee_is_charged_once_on_the_first_day() -> None:
    setup = {"key": "setup", "product": "setup", "model": "one_time", "amount": "9.99"}
    given = facts(plans=[plan([setup])], of_subscriptions=subscriptions({"quantity": Decimal(3)}))

    charges = charges_of(given, "2024-06-01")

    assert amounts(charges) == {"s1/setup/one_time/2024-01-01": Decimal("29.97")}
    assert charges.get_column("service_until").to_list() == [day("2024-01-02")]


def test_a_closed_account_ends_its_subscriptions() -> None:
    given = facts(of_accounts=accounts({"account_key": "a1", "closed_on": day("2024-01-16")}))

    assert amounts(charges_of(given, "2024-05-01")) == {
        "s1/line/recurring/2024-01-01": Decimal("9.6774193548")
    }


def test_only_the_accounts_asked_for_are_charged() -> None:
    given = facts(
        of_accounts=accounts({"account_key": "a1"}, {"account_key": "a2"}),
        of_subscriptions=subscriptions({}, {"subscription_key": "s2", "account_key": "a2"}),
    )

    assert set(charges_of(given, "2024-01-01").get_column("account_key")) == {"a1", "a2"}


@pytest.mark.parametrize(
    "terms",
    [pytest.param({"plan_key": "x"}, id="plan"), pytest.param({"account_key": "x"}, id="account")],
)
def test_a_subscription_that_names_nothing_stops_the_run(terms: Row) -> None:
    given = facts(of_accounts=accounts({"account_key": "a1"}, {"account_key": "x"}))
    broken = facts(of_subscriptions=subscriptions(terms))

    with pytest.raises(UnknownReference, match="s1"):
        compute_charges(broken, given.accounts.get_column("account_key"), day("2024-01-01"))


@pytest.mark.parametrize(
    ("ended_on", "timing", "expected"),
    [
        # 16 of 31 days: the day of the cancellation counts.
        pytest.param("2024-01-16", "advance", {"2024-01-01": "10.3225806452"}, id="inside"),
        # All of January, and the 1st of February's 29 days.
        pytest.param(
            "2024-02-01",
            "arrears",
            {"2024-01-01": "20", "2024-02-01": "0.6896551724"},
            id="on the first day of a period",
        ),
    ],
)
def test_a_price_may_charge_the_day_a_subscription_ends_on(
    ended_on: str, timing: str, expected: dict[str, str]
) -> None:
    given = facts(
        plans=[plan([LINE | {"cancel_day": "inclusive", "timing": timing}])],
        of_subscriptions=subscriptions({"ended_on": day(ended_on)}),
    )

    assert amounts(charges_of(given, ended_on)) == {
        f"s1/line/recurring/{start}": Decimal(amount) for start, amount in expected.items()
    }
