"""Computed less posted: tables for one charge, laws for histories."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    NOTHING_POSTED,
    Row,
    all_accounts,
    call,
    changes,
    charges_of,
    day,
    facts,
    plan,
    post,
    rated,
    run,
    subscriptions,
    total,
)

BOTH = [plan([LINE, MINUTES])]
FIRST = "2024-01-01"


def changed(terms: Row, bill_day: str = FIRST) -> pl.DataFrame:
    """What is to post when a subscription posted as a plain one turns out as `terms`."""
    posted = run(facts(), NOTHING_POSTED, day(FIRST))
    return reconcile(charges_of(facts(of_subscriptions=subscriptions(terms)), bill_day), posted)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param({}, [], id="nothing changed"),
        pytest.param(
            {"quantity": Decimal(2)}, [("increased", "20", "40", 2, "INV-1")], id="increased"
        ),
        pytest.param(
            {"ended_on": day("2024-01-16")},
            [("decreased", "-10.3225806452", "9.6774193548", 2, "INV-1")],
            id="cancelled: unused prepaid days are credited",
        ),
        pytest.param(
            {"ended_on": day(FIRST)}, [("withdrawn", "-20", "0", 2, "INV-1")], id="withdrawn"
        ),
        pytest.param(
            {"started_on": day("2023-12-22")},
            [("new", "6.4516129032", "6.4516129032", 1, None)],
            id="started earlier: the days before are new",
        ),
    ],
)
def test_a_change_of_facts_posts_the_difference(
    terms: Row, expected: list[tuple[str, str, str, int, str | None]]
) -> None:
    to_post = changed(terms)

    assert [
        (
            row["reason"],
            row["difference"],
            row["amount"],
            row["posting_number"],
            row["corrects_invoice"],
        )
        for row in to_post.iter_rows(named=True)
    ] == [
        (reason, Decimal(difference), Decimal(amount), number, invoice)
        for reason, difference, amount, number, invoice in expected
    ]


def test_a_withdrawn_charge_keeps_what_it_was_posted_with() -> None:
    row = changed({"ended_on": day(FIRST)}).row(0, named=True)

    assert (row["description"], row["service_until"]) == ("Telephone line", day("2024-02-01"))
    assert (row["quantity"], row["posted_amount"]) == (Decimal(0), Decimal(20))


def test_a_withdrawn_charge_can_come_back() -> None:
    posted = run(facts(), NOTHING_POSTED, day(FIRST))
    never = facts(of_subscriptions=subscriptions({"ended_on": day(FIRST)}))
    withdrawn = run(never, posted, day(FIRST))

    again = reconcile(charges_of(facts(), FIRST), withdrawn)

    assert again.select("difference", "posting_number", "reason").rows() == [
        (Decimal(20), 3, "increased")
    ]


def test_a_charge_of_nothing_is_not_posted() -> None:
    free = facts(plans=[plan([LINE | {"amount": "0"}])])

    assert reconcile(charges_of(free, FIRST), NOTHING_POSTED).is_empty()


def test_running_again_posts_nothing() -> None:
    given = facts(plans=BOTH, usage=rated(call("2024-01-05T12:00", 61)))
    posted = run(given, NOTHING_POSTED, day("2024-02-01"))

    assert posted.height == 3
    assert reconcile(charges_of(given, "2024-02-01"), posted).is_empty()


def test_late_usage_corrects_the_invoiced_period_exactly() -> None:
    on_time = [call("2024-01-05T12:00", 60)]
    late = [*on_time, call("2024-01-31T12:00", 90)]
    posted = run(facts(plans=BOTH, usage=rated(*on_time)), NOTHING_POSTED, day("2024-02-01"))

    to_post = reconcile(charges_of(facts(plans=BOTH, usage=rated(*late)), "2024-02-01"), posted)

    # 90 s at 0.05 a minute are 0.075, whatever was rounded on the first invoice.
    assert to_post.select("charge_key", "difference", "corrects_invoice").rows() == [
        ("s1/minutes/usage/2024-01-01", Decimal("0.075"), "INV-1")
    ]


def test_usage_taken_back_is_credited() -> None:
    posted = run(
        facts(plans=BOTH, usage=rated(call("2024-01-05T12:00", 60))),
        NOTHING_POSTED,
        day("2024-02-01"),
    )

    to_post = reconcile(charges_of(facts(plans=BOTH), "2024-02-01"), posted)

    assert to_post.select("difference", "reason").rows() == [(Decimal("-0.05"), "withdrawn")]


INTERVALS = st.sampled_from(["day", "week", "month", "quarter"])
HISTORY_FROM = dt.date(2024, 1, 1)
HISTORY_DAYS = 100
DAY_NUMBERS = st.integers(0, HISTORY_DAYS)


@st.composite
def histories(draw: st.DrawFn) -> list[BillingFacts]:
    """Facts as they were known at successive moments: usage arrives, subscriptions change."""
    interval = draw(INTERVALS)
    prices: list[Row] = [LINE, LINE | {"key": "after", "timing": "arrears"}, MINUTES]
    floor = {"key": "floor", "product": "floor", "amount": "7"}
    plans = [
        plan(prices, cycle={"interval": interval}, minimum_fee=floor),
        plan(prices, key="other", cycle={"interval": draw(INTERVALS)}, trial_days=5),
    ]
    calls: list[Row] = []
    history = []
    for _ in range(draw(st.integers(1, 4))):
        calls += draw(st.lists(calls_on_any_day(), max_size=4))
        started = HISTORY_FROM + dt.timedelta(days=draw(st.integers(0, 20)))
        length = draw(st.none() | st.integers(0, HISTORY_DAYS))
        terms = {
            "quantity": Decimal(draw(st.integers(1, 5))),
            "started_on": started,
            "ended_on": None if length is None else started + dt.timedelta(days=length),
        }
        history.append(
            facts(
                plans=plans,
                of_subscriptions=subscriptions(terms),
                of_changes=changes(*draw(st.lists(any_change(), max_size=3))),
                usage=rated(*calls),
            )
        )
    return history


@st.composite
def any_change(draw: st.DrawFn) -> Row:
    return {
        "effective_on": HISTORY_FROM + dt.timedelta(days=draw(DAY_NUMBERS)),
        "plan_key": draw(st.none() | st.sampled_from(["basic", "other"])),
        "quantity": draw(st.none() | st.integers(1, 4).map(Decimal)),
        "status": draw(st.none() | st.sampled_from(["active", "suspended", "cancelled"])),
    }


@st.composite
def calls_on_any_day(draw: st.DrawFn) -> Row:
    on = HISTORY_FROM + dt.timedelta(days=draw(DAY_NUMBERS))
    return call(f"{on}T17:00", draw(st.integers(1, 5000)))


@settings(max_examples=10, deadline=None)
@for_all(history=histories(), runs=st.lists(DAY_NUMBERS, min_size=1, max_size=8, unique=True))
def test_running_more_often_never_changes_the_total(
    history: list[BillingFacts], runs: list[int]
) -> None:
    """Runs at any days over changing facts post in sum what one run at the end posts."""
    posted = NOTHING_POSTED
    for position, number in enumerate(sorted(runs)):
        known = history[position * len(history) // len(runs)]
        posted = run(known, posted, HISTORY_FROM + dt.timedelta(days=number))
    end = HISTORY_FROM + dt.timedelta(days=HISTORY_DAYS)

    often = run(history[-1], posted, end)
    once = run(history[-1], NOTHING_POSTED, end)

    assert total(often) == total(once)
    owed = pl.col("posted_amount") != 0
    keys = ["charge_key", "posted_amount"]
    assert often.filter(owed).select(keys).equals(once.filter(owed).select(keys))


@settings(max_examples=10, deadline=None)
@for_all(history=histories(), number=DAY_NUMBERS)
def test_a_second_run_over_the_same_facts_finds_nothing(
    history: list[BillingFacts], number: int
) -> None:
    bill_day = HISTORY_FROM + dt.timedelta(days=number)
    posted = NOTHING_POSTED
    for known in history:
        posted = run(known, posted, bill_day)

    charges = compute_charges(history[-1], all_accounts(history[-1]), bill_day)

    assert reconcile(charges, posted).is_empty()
    assert post(posted, reconcile(charges, posted)).equals(posted)
