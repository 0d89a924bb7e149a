"""Contract terms, and what ending early costs."""

from decimal import Decimal

import pytest

from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline_tests.billing.given import (
    LINE,
    NOTHING_POSTED,
    Row,
    amounts,
    charges_of,
    day,
    facts,
    plan,
    run,
    subscriptions,
)

TERM = {"key": "term", "product": "floor", "months": 12}


def owed(term: Row, ended_on: str | None, bill_day: str = "2025-06-01") -> dict[str, Decimal]:
    given = facts(
        plans=[plan([LINE], term=TERM | dict(term))],
        of_subscriptions=subscriptions({"ended_on": None if ended_on is None else day(ended_on)}),
    )
    charges = amounts(charges_of(given, bill_day))
    return {key: amount for key, amount in charges.items() if "termination" in key}


@pytest.mark.parametrize(
    ("term", "ended_on", "expected"),
    [
        pytest.param({"fee": 50}, "2024-10-01", "50", id="fixed fee"),
        # October, November and December at 20 each.
        pytest.param({"percent_of_remaining": 50}, "2024-10-01", "30", id="half of 3 x 20"),
        # 15 of November's 30 days and December: 10 + 20.
        pytest.param({"percent_of_remaining": 100}, "2024-11-16", "30", id="inside a period"),
        pytest.param({"fee": 50}, "2025-01-01", None, id="on the day the term is over"),
        pytest.param({"fee": 50}, "2025-03-01", None, id="later"),
        pytest.param({"fee": 50}, None, None, id="goes on"),
    ],
)
def test_ending_before_the_term_is_charged(
    term: Row, ended_on: str | None, expected: str | None
) -> None:
    charged = owed(term, ended_on)

    key = f"s1/term/termination/{ended_on}"
    assert charged == ({} if expected is None else {key: Decimal(expected)})


def test_an_early_end_is_charged_on_the_day_it_happens() -> None:
    assert owed({"fee": 50}, "2024-10-01", bill_day="2024-09-30") == {}
    assert len(owed({"fee": 50}, "2024-10-01", bill_day="2024-10-01")) == 1


def test_a_cancellation_taken_back_takes_its_charge_back() -> None:
    plans = [plan([LINE], term=TERM | {"fee": 50})]
    ended = subscriptions({"ended_on": day("2024-02-01")})
    posted = run(facts(plans=plans, of_subscriptions=ended), NOTHING_POSTED, day("2024-02-01"))

    to_post = reconcile(charges_of(facts(plans=plans), "2024-02-01"), posted)

    assert to_post.select("charge_key", "difference", "reason").rows() == [
        ("s1/line/recurring/2024-02-01", Decimal(20), "new"),
        ("s1/term/termination/2024-02-01", Decimal(-50), "withdrawn"),
    ]


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param({}, id="neither"),
        pytest.param({"fee": 1, "percent_of_remaining": 1}, id="both"),
    ],
)
def test_a_term_costs_a_fee_or_a_percentage(terms: Row) -> None:
    with pytest.raises(ValueError, match="either fee or percent_of_remaining"):
        plan([LINE], term=TERM | dict(terms))
