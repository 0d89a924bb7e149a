"""A run corrects whole periods inside the look-back and leaves the others alone."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.due import usage_window
from billing_pipeline.billing.look_back import posted_in_look_back
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    NOTHING_POSTED,
    Row,
    all_accounts,
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

BOTH = plan([LINE, MINUTES])


@pytest.mark.parametrize(
    ("look_back_periods", "service_from"),
    [
        pytest.param(1, ["2024-03-01", "2024-04-01"], id="one complete period"),
        pytest.param(2, ["2024-02-01", "2024-03-01", "2024-04-01"], id="two"),
        pytest.param(
            None, ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"], id="everything"
        ),
    ],
)
def test_charges_are_recomputed_for_the_periods_of_the_look_back(
    look_back_periods: int | None, service_from: list[str]
) -> None:
    given = facts(look_back_periods=look_back_periods)

    charges = charges_of(given, "2024-04-10")

    assert [str(on) for on in charges.get_column("service_from")] == service_from


def test_what_was_posted_before_the_look_back_is_left_alone() -> None:
    """Usage of January that arrives in April is past; usage of March is corrected."""
    posted = run(facts(plans=[BOTH]), NOTHING_POSTED, day("2024-04-01"))
    late = rated(call("2024-01-05T12:00", 60), call("2024-03-05T12:00", 60))
    now = facts(plans=[BOTH], usage=late, look_back_periods=1)
    bill_day = day("2024-04-01")

    in_scope = posted_in_look_back(now, all_accounts(now), posted, bill_day)
    to_post = reconcile(compute_charges(now, all_accounts(now), bill_day), in_scope)

    assert to_post.select("charge_key", "difference").rows() == [
        ("s1/minutes/usage/2024-03-01", Decimal("0.05"))
    ]


def test_only_usage_inside_the_look_back_is_needed() -> None:
    given = facts(look_back_periods=1)

    first, _ = usage_window(given, all_accounts(given), day("2024-04-01"))

    assert first == dt.datetime(2024, 3, 1, 5, tzinfo=dt.UTC)


def test_a_one_time_fee_before_the_look_back_is_not_charged_again() -> None:
    setup = {"key": "setup", "product": "setup", "model": "one_time", "amount": "5"}
    given = facts(plans=[plan([setup])], look_back_periods=1)

    assert amounts(charges_of(given, "2024-04-01")) == {}
    assert len(amounts(charges_of(given, "2024-02-01"))) == 1


CHANGES = st.lists(
    st.fixed_dictionaries(
        {
            "effective_on": st.dates(dt.date(2024, 1, 1), dt.date(2024, 9, 1)),
            "plan_key": st.none() | st.sampled_from(["basic", "other"]),
            "quantity": st.none() | st.integers(1, 3).map(Decimal),
            "status": st.none() | st.sampled_from(["active", "suspended"]),
        }
    ),
    max_size=4,
)


@settings(max_examples=20, deadline=None)
@for_all(
    history=CHANGES,
    intervals=st.tuples(*[st.sampled_from(["week", "month", "quarter", "year"])] * 2),
    days=st.lists(st.integers(0, 300), min_size=1, max_size=4, unique=True),
    look_back_periods=st.integers(1, 3),
)
def test_unchanged_facts_post_the_same_whatever_the_look_back(
    history: list[Row], intervals: tuple[str, str], days: list[int], look_back_periods: int
) -> None:
    """Periods are in scope entirely or not at all, also where plans have different cycles."""
    given = facts(
        plans=[
            plan([LINE, MINUTES], cycle={"interval": intervals[0]}),
            plan([LINE, MINUTES], key="other", cycle={"interval": intervals[1]}),
        ],
        of_subscriptions=subscriptions({"started_on": day("2024-01-10")}),
        of_changes=changes(*history),
        usage=rated(*(call(f"2024-{month:02d}-15T12:00", 60) for month in range(1, 10))),
        look_back_periods=look_back_periods,
    )
    everything = facts(
        plans=given.catalog.plans,
        of_subscriptions=given.subscriptions,
        of_changes=given.subscription_changes,
        usage=given.rated_usage.collect(),
    )
    for number in sorted(days):
        bill_day = dt.date(2024, 1, 1) + dt.timedelta(days=number)
        posted = run(everything, NOTHING_POSTED, bill_day)

        in_scope = posted_in_look_back(given, all_accounts(given), posted, bill_day)
        charges = compute_charges(given, all_accounts(given), bill_day)

        assert reconcile(charges, in_scope).is_empty()
