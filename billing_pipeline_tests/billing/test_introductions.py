"""Teasers of usage prices, and tiers that end: from events to charges, worked by hand."""

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.past_tiers import past_last_tiers
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.catalog.introductions import introduced
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.rating.price_book import price_book
from billing_pipeline.rating.rate import rate
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    NOTHING_POSTED,
    Row,
    accounts,
    all_accounts,
    amounts,
    changes,
    charges_of,
    day,
    facts,
    plan,
    rated,
    subscriptions,
)
from billing_pipeline_tests.billing.test_usage_over_period import GIGABYTES, measured
from billing_pipeline_tests.rating.given import events

TEASED: dict[str, Any] = {
    **MINUTES,
    "introductory": {"periods": 2, "terms": {"amount": Decimal("0.01")}},
}
MIDDLE_OF_JANUARY = subscriptions({"started_on": day("2024-01-15")})


def rated_facts(given: BillingFacts, *calls: Row) -> BillingFacts:
    """The facts with calls of a minute, rated by the prices the subscriptions have then."""
    book = price_book(
        given.catalog,
        given.subscriptions,
        RATE_CARD_PRICES.empty(),
        given.tenant.time_zone,
        given.subscription_changes,
        given.accounts,
    )
    usage = rate(events(*calls), book).accepted
    return facts(
        plans=given.catalog.plans,
        of_accounts=given.accounts,
        of_subscriptions=given.subscriptions,
        of_changes=given.subscription_changes,
        usage=usage,
    )


def minute(at: str) -> Row:
    return {"started_at": dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)}


MONTHLY_MINUTES = [minute(f"2024-0{month}-20T12:00") for month in (1, 2, 3)]


@pytest.mark.parametrize(
    ("plans", "of_changes", "expected"),
    [
        pytest.param([plan([TEASED])], changes(), ["0.01", "0.01", "0.05"], id="two periods"),
        pytest.param(
            # The trial ends on 9 February: February is the first period that is charged.
            [plan([TEASED], trial_days=25)],
            changes(),
            ["0.01", "0.01", "0.01"],
            id="counted from the end of the trial, whose usage has the same price",
        ),
        pytest.param(
            [plan([TEASED]), plan([MINUTES], key="other")],
            changes({"effective_on": day("2024-02-01"), "plan_key": "other"}),
            ["0.01", "0.05", "0.05"],
            id="given up with the plan",
        ),
        pytest.param(
            [plan([TEASED]), plan([MINUTES], key="other")],
            changes(
                {"effective_on": day("2024-01-15"), "plan_key": "other"},
                {"effective_on": day("2024-02-01"), "plan_key": "basic"},
            ),
            ["0.05", "0.01", "0.05"],
            id="what is left of it for who comes to the plan later",
        ),
    ],
)
def test_usage_has_other_terms_in_the_first_periods_charged(
    plans: list[Any], of_changes: pl.DataFrame, expected: list[str]
) -> None:
    given = facts(plans=plans, of_subscriptions=MIDDLE_OF_JANUARY, of_changes=of_changes)
    told = rated_facts(given, *MONTHLY_MINUTES)

    charges = charges_of(told, "2024-04-01")

    assert charges.sort("service_from")["amount"].to_list() == [Decimal(one) for one in expected]


def test_the_tiers_of_a_period_are_those_of_its_introduction() -> None:
    """55 GB at an introductory 1.00 each are 55.00; then 77.50 by tiers."""
    price = GIGABYTES | {"introductory": {"periods": 1, "terms": {"tiers": [{"amount": 1}]}}}
    usage = rated(measured("2024-01-09T05:00", 55), measured("2024-02-09T05:00", 55))

    charged = amounts(charges_of(facts(plans=[plan([price])], usage=usage), "2024-03-01"))

    assert list(charged.values()) == [Decimal(55), Decimal("77.50")]


def test_an_introduction_that_ends_splits_no_fee_and_ends_no_rollover() -> None:
    """100 minutes a month, kept for one more: 40 used leave 60; in March 150 of 160 are free."""
    free = {"key": "free", "units": 100, "prices": ["minutes"], "rollover_periods": 1}
    given = facts(plans=[plan([LINE, TEASED], included_units=[free])])
    calls = [
        {**minute("2024-02-10T12:00"), "quantity": Decimal(40 * 60)},
        {**minute("2024-03-10T12:00"), "quantity": Decimal(150 * 60)},
    ]

    charged = amounts(charges_of(rated_facts(given, *calls), "2024-04-01"))

    fees = {key: amount for key, amount in charged.items() if "recurring" in key}
    assert set(fees.values()) == {Decimal(20)}
    assert len(fees) == 4
    assert sum(charged.values()) == 80


def test_introductions_of_two_lengths_make_two_variants() -> None:
    longer = TEASED | {
        "key": "texts",
        "applies_to": {"usage_type": "text"},
        "introductory": {"periods": 3, "terms": {"amount": "0.02"}},
    }

    made = introduced([plan([TEASED, longer])], accounts(), subscriptions(), changes())

    priced = {one.key: [price.model_dump()["amount"] for price in one.prices] for one in made[0]}
    assert priced == {
        "basic~until-2": [Decimal("0.01"), Decimal("0.02")],
        "basic~until-3": [Decimal("0.05"), Decimal("0.02")],
    }
    assert made.subscriptions["plan_key"].to_list() == ["basic~until-2"]
    assert made.subscription_changes.select("effective_on", "plan_key").rows() == [
        (day("2024-03-01"), "basic~until-3"),
        (day("2024-04-01"), "basic"),
    ]


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        pytest.param({"colour": 1}, "introductory terms do not fit: colour", id="unknown"),
        pytest.param({"priority": 1}, "cannot change", id="another selector"),
        pytest.param({}, "at least 1", id="nothing"),
    ],
)
def test_introductory_terms_that_do_not_fit_are_refused(terms: Row, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        plan([MINUTES | {"introductory": {"periods": 1, "terms": terms}}])


BOUNDED: dict[str, Any] = GIGABYTES | {
    "tiers": [{"up_to": 10, "amount": "1"}, {"up_to": 20, "amount": "1.25"}],
}


@pytest.mark.parametrize(
    ("beyond", "used", "amount", "held"),
    [
        pytest.param("last", 25, "28.75", 0, id="10 + 15 x 1.25"),
        pytest.param("free", 25, "22.50", 0, id="10 + 10 x 1.25"),
        pytest.param("refuse", 20, "22.50", 0, id="up to the last tier"),
        pytest.param("refuse", 25, "28.75", 1, id="held"),
    ],
)
def test_usage_beyond_the_last_tier_is_priced_free_or_held(
    beyond: str, used: int, amount: str, held: int
) -> None:
    price = BOUNDED | {"beyond": beyond}
    usage = rated(measured("2024-01-09T05:00", used))
    given = facts(plans=[plan([price])], usage=usage)
    charges = charges_of(given, "2024-02-01")

    found = past_last_tiers(given, reconcile(charges, NOTHING_POSTED))

    assert charges["amount"].to_list() == [Decimal(amount)]
    assert found.height == held
    for row in found.rows():
        assert row == (
            "a1",
            "past_last_tier",
            "s1/requests/usage/2024-01-01 is for 25 units, the last tier of its price ends at 20",
        )


def test_a_version_without_refusal_holds_nobody() -> None:
    before = BOUNDED | {"beyond": "refuse", "valid_until": "2024-02-01"}
    after = BOUNDED | {"beyond": "last", "valid_from": "2024-02-01"}
    usage = rated(measured("2024-02-09T05:00", 25))
    given = facts(plans=[plan([before, after])], usage=usage)

    found = past_last_tiers(given, reconcile(charges_of(given, "2024-03-01"), NOTHING_POSTED))

    assert found.is_empty()
    assert all_accounts(given).to_list() == ["a1"]
