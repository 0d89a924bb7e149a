"""Who is due when, and what usage a run needs."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from billing_pipeline.billing.due import (
    days_with_accounts_due,
    due_accounts,
    next_due_days,
    usage_window,
)
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    Row,
    accounts,
    all_accounts,
    call,
    charges_of,
    day,
    facts,
    plan,
    rated,
    subscriptions,
)


def days_due(of: BillingFacts, first: str, days: int) -> list[str]:
    span = [day(first) + dt.timedelta(days=n) for n in range(days)]
    return [str(on) for on in span if due_accounts(of, on).len()]


@pytest.mark.parametrize(
    ("terms", "plan_terms", "expected"),
    [
        pytest.param({}, {}, ["2024-01-31", "2024-02-29", "2024-03-31"], id="anniversary"),
        pytest.param(
            {"ended_on": day("2024-03-10")},
            {},
            ["2024-01-31", "2024-02-29", "2024-03-10", "2024-03-31"],
            id="end of the subscription, then for what is late",
        ),
        pytest.param(
            {"ended_on": day("2024-02-29")},
            {},
            ["2024-01-31", "2024-02-29", "2024-03-31"],
            id="end of a period, then for what is late",
        ),
        pytest.param(
            {},
            {"cycle": {"anchor": "calendar"}},
            ["2024-01-31", "2024-02-01", "2024-03-01", "2024-04-01"],
            id="calendar",
        ),
        pytest.param(
            {"started_on": day("2024-02-10")},
            {},
            ["2024-02-10", "2024-02-29", "2024-03-31"],
            id="start inside a period",
        ),
        pytest.param(
            {},
            {"trial_days": 10},
            ["2024-01-31", "2024-02-10", "2024-02-29", "2024-03-31"],
            id="end of the trial",
        ),
        pytest.param({}, {"cycle": {"interval": "quarter"}}, ["2024-01-31"], id="quarter"),
    ],
)
def test_an_account_is_due_when_a_period_turns(
    terms: Row, plan_terms: Row, expected: list[str]
) -> None:
    given = facts(
        plans=[plan(**plan_terms)],
        of_accounts=accounts({"account_key": "a1", "opened_on": day("2024-01-31")}),
        of_subscriptions=subscriptions({"started_on": day("2024-01-31"), **terms}),
    )

    assert days_due(given, "2024-01-01", 100) == expected


def test_an_account_that_left_is_looked_at_again_for_three_periods() -> None:
    given = facts(of_subscriptions=subscriptions({"ended_on": day("2024-01-20")}))

    assert days_due(given, "2024-01-20", 150) == [
        "2024-01-20",
        "2024-02-01",
        "2024-03-01",
        "2024-04-01",
    ]


def test_an_account_whose_past_changed_is_due_only_if_nothing_goes_on() -> None:
    given = facts(
        of_accounts=accounts(*({"account_key": key} for key in ("gone", "left", "stays"))),
        of_subscriptions=subscriptions(
            {"account_key": "left", "ended_on": day("2024-01-20")},
            {"subscription_key": "s2", "account_key": "stays"},
        ),
    )
    restated = pl.Series(["gone", "left", "stays"])

    assert due_accounts(given, day("2024-01-25"), restated=restated).to_list() == ["gone", "left"]


@settings(max_examples=8, deadline=None)
@for_all(
    interval=st.sampled_from(["day", "week", "month", "quarter", "year"]),
    anchor=st.sampled_from(["anniversary", "calendar"]),
    length=st.none() | st.integers(1, 60),
    trial_days=st.integers(0, 40),
)
def test_the_days_of_a_span_are_those_on_which_somebody_is_due(
    interval: str, anchor: str, length: int | None, trial_days: int
) -> None:
    first = day("2024-01-25")
    terms = {
        "started_on": first,
        "ended_on": None if length is None else first + dt.timedelta(days=length),
    }
    given = facts(
        plans=[plan(cycle={"interval": interval, "anchor": anchor}, trial_days=trial_days)],
        of_subscriptions=subscriptions(terms),
    )
    due = [day(on) for on in days_due(given, "2024-01-10", 80)]

    assert sorted(days_with_accounts_due(given, day("2024-01-10"), day("2024-03-29"))) == due
    if due:
        after = next_due_days(given, all_accounts(given), due[0]).filter(
            pl.col("due_on") <= due[-1]
        )
        of_open = [on for on in due[1:] if terms["ended_on"] is None or on <= terms["ended_on"]]
        assert after["due_on"].to_list() == of_open[:1]


def test_accounts_of_one_payer_are_due_together() -> None:
    given = facts(
        of_accounts=accounts(
            {"account_key": "payer", "opened_on": day("2024-01-10")},
            {"account_key": "paid", "payer_key": "payer", "opened_on": day("2024-01-20")},
            {"account_key": "other", "opened_on": day("2024-01-11")},
        ),
        of_subscriptions=subscriptions({"account_key": "paid", "started_on": day("2024-01-20")}),
    )

    assert due_accounts(given, day("2024-02-10")).to_list() == ["paid", "payer"]
    assert due_accounts(given, day("2024-02-20")).to_list() == []


def test_a_run_needs_usage_from_the_first_subscription_to_the_bill_day() -> None:
    given = facts(
        of_subscriptions=subscriptions(
            {"started_on": day("2024-03-10")},
            {"subscription_key": "s2", "started_on": day("2024-05-01")},
        )
    )

    window = usage_window(given, all_accounts(given), day("2024-06-01"))

    assert window == (
        dt.datetime(2024, 3, 10, 5, tzinfo=dt.UTC),
        dt.datetime(2024, 6, 1, 4, tzinfo=dt.UTC),
    )


def test_accounts_without_subscriptions_need_no_usage() -> None:
    given = facts()

    first, last = usage_window(given, pl.Series(["nobody"]), day("2024-06-01"))

    assert first == last


@settings(max_examples=8, deadline=None)
@for_all(
    interval=st.sampled_from(["day", "week", "month", "quarter", "half_year", "year"]),
    anchor=st.sampled_from(["anniversary", "calendar"]),
    opened=st.dates(dt.date(2023, 1, 1), dt.date(2024, 2, 1)),
    start=st.integers(0, 60),
    length=st.none() | st.integers(1, 120),
    trial_days=st.integers(0, 40),
)
def test_every_charge_becomes_billable_on_a_day_its_account_is_due(
    interval: str,
    anchor: str,
    opened: dt.date,
    start: int,
    length: int | None,
    trial_days: int,
) -> None:
    started = opened + dt.timedelta(days=start)
    arrears = LINE | {"key": "after", "timing": "arrears"}
    given = facts(
        plans=[
            plan(
                [LINE, arrears, MINUTES],
                cycle={"interval": interval, "anchor": anchor},
                trial_days=trial_days,
            )
        ],
        of_accounts=accounts({"account_key": "a1", "opened_on": opened}),
        of_subscriptions=subscriptions(
            {
                "started_on": started,
                "ended_on": None if length is None else started + dt.timedelta(days=length),
            }
        ),
        usage=rated(call(f"{started}T17:00", 60)),
    )

    billable = charges_of(given, "2024-06-01").get_column("bill_from").unique().sort()

    # The first and the last days are where cycles are cut; the middle repeats.
    edges = [*billable.head(6), *billable.tail(6)]
    assert [on for on in edges if not due_accounts(given, on).len()] == []
