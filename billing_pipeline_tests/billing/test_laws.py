"""Laws over histories: facts change, usage arrives late, and bill runs happen on due days only."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import polars as pl
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.due import days_with_accounts_due, due_accounts
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.look_back import posted_in_look_back
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.billing.schema import TO_POST
from billing_pipeline.catalog.plans import Discount
from billing_pipeline.customers.schema import AGREED_PRICES
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    NOTHING_POSTED,
    Row,
    all_accounts,
    call,
    changes,
    facts,
    frame,
    plan,
    post,
    rated,
    subscription_discounts,
    subscriptions,
)

BEGIN = dt.date(2024, 1, 1)
DAYS = 90
LATE_DAYS = 125  # three more months: whatever came late has been billed by then
DAY = st.integers(0, DAYS).map(lambda number: BEGIN + dt.timedelta(days=number))
HALF = Discount.model_validate(
    {"key": "half", "name": "Half", "product": "rebate", "percent_off": 50, "periods": 2}
)


@st.composite
def known_facts(draw: st.DrawFn) -> BillingFacts:
    """What is known at one moment of one customer with one subscription."""
    started = draw(DAY)
    length = draw(st.none() | st.integers(1, DAYS))
    calls = draw(st.lists(st.tuples(DAY, st.integers(1, 4000)), max_size=4))
    agreed: list[Row] = [
        {"subscription_key": "s1", "price_key": "line", "amount": Decimal(15), "valid_from": day}
        for day in draw(st.lists(DAY, max_size=1))
    ]
    discounts: list[Row] = [
        {"discount_key": "half", "valid_from": day} for day in draw(st.lists(DAY, max_size=1))
    ]
    change = st.fixed_dictionaries(
        {
            "effective_on": DAY,
            "plan_key": st.sampled_from([None, "basic", "other"]),
            "quantity": st.none() | st.integers(1, 3).map(Decimal),
            "status": st.sampled_from([None, None, "active", "suspended", "cancelled"]),
        }
    )
    arrears = LINE | {"key": "after", "timing": "arrears"}
    made = facts(
        plans=[
            plan([LINE, MINUTES], minimum_fee={"key": "floor", "product": "floor", "amount": "3"}),
            plan([arrears, MINUTES], key="other", trial_days=4),
        ],
        discounts=[HALF],
        of_subscriptions=subscriptions(
            {
                "started_on": started,
                "ended_on": None if length is None else started + dt.timedelta(days=length),
            }
        ),
        of_changes=changes(*draw(st.lists(change, max_size=2))),
        of_discounts=subscription_discounts(*discounts),
        usage=rated(*(call(f"{on}T17:00", seconds) for on, seconds in calls)),
    )
    return replace(made, agreed_prices=frame(AGREED_PRICES, {}, agreed))


def billed_on_due_days(
    history: list[tuple[dt.date, BillingFacts]], last_day: dt.date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Everything posted day by day as facts become known: the books, and all postings."""
    posted, postings = NOTHING_POSTED, [TO_POST.empty()]
    moments = [*(day for day, _ in history[1:]), last_day + dt.timedelta(days=1)]
    for (known_on, known), until in zip(history, moments, strict=True):
        due = days_with_accounts_due(known, known_on, until - dt.timedelta(days=1))
        for day in sorted({*due, known_on} if known_on < until else due):
            restated = all_accounts(known) if day == known_on else all_accounts(known).head(0)
            accounts = due_accounts(known, day, restated=restated)
            charges = compute_charges(known, accounts, day)
            to_post = reconcile(charges, posted_in_look_back(known, accounts, posted, day))
            posted = post(posted, to_post)
            postings.append(to_post)
    return posted, pl.concat(postings)


@settings(max_examples=12, deadline=None)
@for_all(
    versions=st.lists(known_facts(), min_size=1, max_size=3),
    known_on=st.lists(DAY, min_size=3, max_size=3, unique=True),
)
def test_bill_runs_on_due_days_post_what_one_run_at_the_end_would(
    versions: list[BillingFacts], known_on: list[dt.date]
) -> None:
    """However facts change, in sum; and no charge is posted twice under one number."""
    history = list(zip([BEGIN, *sorted(known_on)[1:]], versions, strict=False))
    last_day = BEGIN + dt.timedelta(days=DAYS + LATE_DAYS)

    posted, postings = billed_on_due_days(history, last_day)

    final = versions[-1]
    at_the_end = compute_charges(final, all_accounts(final), last_day)
    owed = at_the_end.filter(pl.col("amount") != 0).select("charge_key", "amount")
    held = posted.filter(pl.col("posted_amount") != 0).select("charge_key", "posted_amount")
    assert dict(held.rows()) == dict(owed.rows())
    assert postings.select("charge_key", "posting_number").is_duplicated().sum() == 0
    summed = postings.group_by("charge_key").agg(pl.col("difference").sum())
    assert (
        summed.join(posted, on="charge_key")
        .filter(pl.col("difference") != pl.col("posted_amount"))
        .is_empty()
    )
