"""Included units that are shared, pooled, prorated and carried over, worked by hand."""

from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline_tests.billing.given import (
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

POOL: dict[str, object] = {"key": "free", "units": 10, "prices": ["minutes"]}
BY_ACCOUNT = POOL | {"shared_by": "account"}
BY_TREE = POOL | {"shared_by": "account_tree"}
TREE = (
    {"account_key": "a1"},
    {"account_key": "a2", "parent_key": "a1"},
    {"account_key": "a3", "parent_key": "a2"},
)


def on(subscription: str, at: str, minutes: int, **terms: object) -> Row:
    return call(at, minutes * 60, subscription_key=subscription, **terms)


def two_lines(*usage: Row, pool: Row) -> dict[str, Decimal]:
    """Charges of January of two lines of one account with a pool."""
    given = facts(
        plans=[plan([MINUTES], included_units=[pool])],
        of_subscriptions=subscriptions({"subscription_key": "s1"}, {"subscription_key": "s2"}),
        usage=rated(*usage),
    )
    return amounts(charges_of(given, "2024-02-01"))


def test_what_one_line_leaves_the_other_takes() -> None:
    """Two lines have 20 minutes together; s1 calls 25 before s2 calls 4: 5 and 4 are owed."""
    usage = on("s1", "2024-01-05T15:00", 25), on("s2", "2024-01-06T15:00", 4)

    assert two_lines(*usage, pool=BY_ACCOUNT) == {
        "s1/minutes/usage/2024-01-01": Decimal("0.25"),
        "s2/minutes/usage/2024-01-01": Decimal("0.20"),
    }


def test_who_calls_first_takes_first() -> None:
    """s2 calls 4 of the 20 first; s1 has 16 left of 25: 9 are owed."""
    usage = on("s1", "2024-01-06T15:00", 25), on("s2", "2024-01-05T15:00", 4)

    assert two_lines(*usage, pool=BY_ACCOUNT) == {
        "s1/minutes/usage/2024-01-01": Decimal("0.45"),
        "s2/minutes/usage/2024-01-01": Decimal(0),
    }


def test_a_pool_counted_once_is_not_multiplied_by_lines() -> None:
    usage = on("s1", "2024-01-05T15:00", 8), on("s2", "2024-01-06T15:00", 8)

    assert sum(two_lines(*usage, pool=BY_ACCOUNT | {"counted": "once"}).values()) == Decimal("0.30")


def test_a_later_fee_rule_leaves_calls_of_earlier_days_as_they_were() -> None:
    """One minute on 10 January and one on 10 February, both included: February owes its fee.

    The look-back computes both months by the catalog that knows the rule of 1 February.
    """
    fee: Row = {"connection_fee": "0.10"}
    versions: list[Row] = [
        {**MINUTES, **fee, "valid_until": "2024-02-01"},
        {**MINUTES, **fee, "valid_from": "2024-02-01", "connection_fee_on": "included"},
    ]
    terms = {"connection_fee": Decimal("0.10"), "amount": Decimal("0.15")}
    days = ("2024-01-10T15:00", "2024-02-10T15:00")
    given = facts(
        plans=[plan(versions, included_units=[POOL])],
        usage=rated(*(on("s1", at, 1, **terms) for at in days)),
    )

    assert amounts(charges_of(given, "2024-03-01")) == {
        "s1/minutes/usage/2024-01-01": Decimal(0),
        "s1/minutes/usage/2024-02-01": Decimal("0.10"),
    }


def in_tree(*usage: Row, bill: str = "a1", pool: Row = BY_TREE) -> dict[str, Decimal]:
    given = facts(
        plans=[plan([MINUTES], included_units=[pool])],
        of_accounts=accounts(*TREE),
        of_subscriptions=subscriptions(
            {"subscription_key": "s1"}, {"subscription_key": "s3", "account_key": "a3"}
        ),
        usage=rated(*usage),
    )
    return amounts(compute_charges(given, pl.Series([bill]), day("2024-02-01")))


def test_a_tree_shares_one_pool_whoever_is_billed() -> None:
    """20 minutes for the tree: a3 calls 15, then a1 calls 10, of which 5 are owed."""
    usage = (
        on("s3", "2024-01-05T15:00", 15, account_key="a3"),
        on("s1", "2024-01-06T15:00", 10),
    )

    assert in_tree(*usage, bill="a1") == {"s1/minutes/usage/2024-01-01": Decimal("0.25")}
    assert in_tree(*usage, bill="a3") == {"s3/minutes/usage/2024-01-01": Decimal(0)}


def test_an_accounts_pool_is_not_its_parents() -> None:
    usage = (
        on("s3", "2024-01-05T15:00", 15, account_key="a3"),
        on("s1", "2024-01-06T15:00", 10),
    )

    assert in_tree(*usage, bill="a3", pool=BY_ACCOUNT) == {
        "s3/minutes/usage/2024-01-01": Decimal("0.25")
    }


def minutes_of(*months: int) -> list[Row]:
    return [on("s1", f"2024-{month:02d}-10T15:00", used) for month, used in enumerate(months, 1)]


@pytest.mark.parametrize(
    ("periods", "used", "owed"),
    [
        pytest.param(0, [4, 16], ["0", "0.3"], id="nothing is kept"),
        pytest.param(1, [4, 16], ["0", "0"], id="6 are left for February, which has 16"),
        pytest.param(1, [4, 17], ["0", "0.05"], id="one more is owed"),
        pytest.param(1, [4, 0, 20], ["0", None, "0"], id="February keeps its own 10 for March"),
        pytest.param(1, [4, 0, 21], ["0", None, "0.05"], id="but not January's 6"),
        pytest.param(2, [4, 0, 26], ["0", None, "0"], id="kept for two, January's 6 too"),
        pytest.param(1, [4, 13, 10], ["0", "0", "0"], id="the old 6 go first: 3 of 10 left"),
        pytest.param(1, [4, 13, 14], ["0", "0", "0.05"], id="10 and 3 are 13"),
    ],
)
def test_what_is_left_rolls_over(periods: int, used: list[int], owed: list[str | None]) -> None:
    pool = POOL | {"rollover_periods": periods}
    given = facts(
        plans=[plan([MINUTES], included_units=[pool])],
        usage=rated(*(row for row in minutes_of(*used) if row["quantity"])),
    )

    found = amounts(charges_of(given, "2024-04-01"))

    months = range(1, len(owed) + 1)
    shown = [found.get(f"s1/minutes/usage/2024-{month:02d}-01") for month in months]
    assert shown == [None if one is None else Decimal(one) for one in owed]


def test_a_short_period_has_its_days_part() -> None:
    """From 17 January 15 of 31 days: 10 x 15/31 = 4.838... minutes; 5 are called."""
    given = facts(
        plans=[plan([MINUTES], included_units=[POOL | {"proration": "actual_days"}])],
        of_subscriptions=subscriptions({"started_on": day("2024-01-17")}),
        usage=rated(on("s1", "2024-01-20T15:00", 5)),
    )

    charge = charges_of(given, "2024-02-01").row(0, named=True)

    assert round(charge["amount"], 4) == Decimal("0.0081")
