"""What a run posts by itself, reports, puts before a person, or holds."""

from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.billing.bounds import broken_bounds
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.billing.review import Review, review
from billing_pipeline.customers.policies import BillingPolicy
from billing_pipeline_tests.billing.given import (
    NOTHING_POSTED,
    Row,
    charges_of,
    day,
    facts,
    run,
    subscriptions,
)

NOBODY = pl.Series("account_key", [], dtype=pl.String)
FIRST = "2024-01-01"


def judged(terms: Row, approved: pl.Series = NOBODY, **policy: object) -> Review:
    """The review of a run in February after January was posted and `terms` became known."""
    posted = run(facts(), NOTHING_POSTED, day(FIRST))
    rules = BillingPolicy.model_validate(policy)
    charges = charges_of(facts(of_subscriptions=subscriptions(terms)), "2024-02-01")
    to_post = reconcile(charges, posted)
    return review(to_post, broken_bounds(charges, posted, to_post, rules), approved, rules)


def counts(of: Review) -> dict[str, int]:
    return {name: frame.height for name, frame in of._asdict().items() if frame.height}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param({}, {"post": 2}, id="no policy: a correction of 20 and a new charge"),
        pytest.param({"report_only_below": 21}, {"post": 1, "reported": 1}, id="too little"),
        pytest.param({"report_only_below": 20}, {"post": 2}, id="exactly enough"),
        pytest.param({"approval_above": 19}, {"post": 1, "awaiting_approval": 1}, id="too much"),
        pytest.param({"approval_above": 20}, {"post": 2}, id="exactly the most"),
        pytest.param({"most_charges": 1}, {"held": 2}, id="too many charges"),
        # 60 to post; the dearest bill so far was 20.
        pytest.param({"jump_factor": "2.9"}, {"held": 2}, id="a jump"),
        pytest.param({"jump_factor": "3"}, {"post": 2}, id="no jump"),
    ],
)
def test_a_policy_decides_what_is_posted(policy: Row, expected: dict[str, int]) -> None:
    assert counts(judged({"quantity": Decimal(2)}, **policy)) == expected


def test_an_approved_account_is_posted() -> None:
    of = judged({"quantity": Decimal(2)}, pl.Series("account_key", ["a1"]), approval_above=1)

    assert counts(of) == {"post": 2}


def test_a_service_charged_twice_holds_its_account() -> None:
    charges = charges_of(facts(), FIRST)
    again = charges.with_columns(charge_key=pl.lit("again"), service_from=pl.lit(day("2024-01-31")))
    sorts_before = charges.with_columns(charge_key=pl.lit("other"), subscription_key=pl.lit("0"))
    both = pl.concat([charges, again, sorts_before])

    held = broken_bounds(both, NOTHING_POSTED, reconcile(both, NOTHING_POSTED), BillingPolicy())

    assert held.rows() == [
        (
            "a1",
            "duplicate_period",
            "again is charged from 2024-01-31, but was already charged until 2024-02-01",
        )
    ]


def test_an_account_without_history_does_not_jump() -> None:
    charges = charges_of(facts(), FIRST)
    to_post = reconcile(charges, NOTHING_POSTED)

    rules = BillingPolicy(jump_factor=Decimal(1))

    assert broken_bounds(charges, NOTHING_POSTED, to_post, rules).is_empty()
