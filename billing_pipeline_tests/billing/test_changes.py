"""Subscriptions that change: plan, quantity, status; in advance and in arrears."""

from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.catalog.plans import Plan
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    NOTHING_POSTED,
    Row,
    amounts,
    call,
    changes,
    charges_of,
    day,
    facts,
    plan,
    rated,
    run,
    subscriptions,
)

LARGE = {"key": "large", "product": "line", "model": "flat", "amount": "51"}
MID = day("2024-01-11")


def two_plans(timing: str = "advance", proration: str = "actual_days") -> list[Plan]:
    terms = {"timing": timing, "proration": proration}
    return [plan([LINE | terms]), plan([LARGE | terms], key="large")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # January has 31 days: 10 before the change, 21 from it.
        pytest.param(
            {"plan_key": "large"},
            {
                "s1/line/recurring/2024-01-01": "6.4516129032",
                "s1/large/recurring/2024-01-11": "34.5483870968",
            },
            id="upgrade: 20 x 10/31 and 51 x 21/31",
        ),
        pytest.param(
            {"quantity": Decimal(3)},
            {
                "s1/line/recurring/2024-01-01": "6.4516129032",
                "s1/line/recurring/2024-01-11": "40.6451612903",
            },
            id="quantity: 60 x 21/31",
        ),
        pytest.param(
            {"status": "suspended"},
            {"s1/line/recurring/2024-01-01": "6.4516129032"},
            id="suspended: nothing from the day on",
        ),
        pytest.param(
            {"status": "cancelled"},
            {"s1/line/recurring/2024-01-01": "6.4516129032"},
            id="cancelled",
        ),
        pytest.param(
            {"plan_key": "basic"}, {"s1/line/recurring/2024-01-01": "20"}, id="no change at all"
        ),
    ],
)
@pytest.mark.parametrize("timing", ["advance", "arrears"])
def test_the_day_of_a_change_belongs_to_the_new_terms(
    change: Row, expected: dict[str, str], timing: str
) -> None:
    given = facts(plans=two_plans(timing), of_changes=changes({"effective_on": MID, **change}))

    # All of January, whatever the timing: the charges of service that began before February.
    january = charges_of(given, "2024-02-01").filter(pl.col("service_from") < day("2024-02-01"))

    assert amounts(january) == {key: Decimal(amount) for key, amount in expected.items()}


def test_an_upgrade_after_the_bill_credits_the_rest_of_the_old_plan() -> None:
    """20 was billed for January; from the 11th the plan costs 51."""
    before = facts(plans=two_plans())
    posted = run(before, NOTHING_POSTED, day("2024-01-01"))
    after = facts(plans=two_plans(), of_changes=changes({"effective_on": MID, "plan_key": "large"}))

    to_post = reconcile(charges_of(after, "2024-01-31"), posted)

    assert to_post.select("charge_key", "difference", "reason").rows() == [
        ("s1/large/recurring/2024-01-11", Decimal("34.5483870968"), "new"),
        ("s1/line/recurring/2024-01-01", Decimal("-13.5483870968"), "decreased"),
    ]


def test_a_fee_that_is_not_prorated_changes_with_the_next_period() -> None:
    given = facts(
        plans=two_plans(proration="none"),
        of_changes=changes({"effective_on": MID, "plan_key": "large"}),
    )

    assert amounts(charges_of(given, "2024-02-01")) == {
        "s1/line/recurring/2024-01-01": Decimal(20),
        "s1/large/recurring/2024-02-01": Decimal(51),
    }


def test_a_suspended_subscription_is_charged_again_when_it_is_active() -> None:
    given = facts(
        of_changes=changes(
            {"effective_on": day("2024-01-11"), "status": "suspended"},
            {"effective_on": day("2024-03-01"), "status": "active"},
        )
    )

    assert amounts(charges_of(given, "2024-03-01")) == {
        "s1/line/recurring/2024-01-01": Decimal("6.4516129032"),
        "s1/line/recurring/2024-03-01": Decimal(20),
    }


def test_usage_follows_the_plan_and_not_the_quantity() -> None:
    metered = [plan([MINUTES]), plan([MINUTES | {"key": "other"}], key="large")]
    given = facts(
        plans=metered,
        of_changes=changes(
            {"effective_on": day("2024-01-06"), "quantity": Decimal(5)},
            {"effective_on": MID, "plan_key": "large"},
        ),
        usage=rated(
            call("2024-01-05T12:00", 60),
            call("2024-01-08T12:00", 60),
            call("2024-01-20T12:00", 60, price_key="other"),
        ),
    )

    assert amounts(charges_of(given, "2024-02-01")) == {
        "s1/minutes/usage/2024-01-01": Decimal("0.10"),
        "s1/other/usage/2024-01-11": Decimal("0.05"),
    }


def test_of_two_changes_on_one_day_the_later_row_holds() -> None:
    given = facts(
        of_changes=changes(
            {"effective_on": day("2024-01-01"), "quantity": Decimal(5)},
            {"effective_on": day("2024-01-01"), "quantity": Decimal(2)},
        )
    )

    assert list(amounts(charges_of(given, "2024-01-01")).values()) == [Decimal(40)]


def test_a_change_of_plan_begins_no_other_trial() -> None:
    trial = [plan(trial_days=10), plan([LARGE], key="large", trial_days=30)]
    given = facts(plans=trial, of_changes=changes({"effective_on": MID, "plan_key": "large"}))

    assert list(amounts(charges_of(given, "2024-01-11"))) == ["s1/large/recurring/2024-01-11"]


def test_a_change_before_the_start_holds_from_the_start() -> None:
    given = facts(
        of_subscriptions=subscriptions({"started_on": day("2024-02-01")}),
        of_changes=changes({"effective_on": MID, "quantity": Decimal(2)}),
    )

    assert amounts(charges_of(given, "2024-02-01")) == {"s1/line/recurring/2024-02-01": Decimal(40)}
