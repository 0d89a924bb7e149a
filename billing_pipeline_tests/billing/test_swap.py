"""What the same usage would have cost on other plans."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.billing.swap import compare_plans
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.mediation.schema import USAGE_EVENTS
from billing_pipeline.vocabulary.periods import Period
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    Row,
    changes,
    day,
    facts,
    frame,
    plan,
    subscriptions,
)

JANUARY = Period(day("2024-01-01"), day("2024-02-01"))
BUSY = plan([LINE | {"amount": "45"}, MINUTES | {"amount": "0.01"}], key="busy")
YEARLY = plan([LINE | {"amount": "366"}], key="yearly", cycle={"interval": "year"})
PLANS = [plan([LINE, MINUTES]), BUSY, YEARLY]


def voice(minutes: int) -> pl.DataFrame:
    """One long call in January."""
    event = {
        "tenant_key": "brand",
        "account_key": "a1",
        "subscription_key": "s1",
        "feed_key": "cdr",
        "file_key": "file",
        "record_number": 1,
        "usage_type": "voice",
        "service_identifier": "1",
        "started_at": dt.datetime(2024, 1, 5, 15, tzinfo=dt.UTC),
        "quantity": Decimal(60 * minutes),
        "unit": "s",
    }
    return frame(USAGE_EVENTS, {}, [event])


def compared(
    minutes: int,
    plan_keys: list[str],
    *,
    plans: list[Plan] | None = None,
    change: tuple[Row, ...] = (),
    terms: Row | None = None,
) -> dict[str, tuple[Decimal, Decimal, int, bool]]:
    given = facts(
        plans=plans or PLANS,
        of_subscriptions=subscriptions(terms or {}),
        of_changes=changes(*change),
    )
    rows = compare_plans(given, voice(minutes), RATE_CARD_PRICES.empty(), plan_keys, JANUARY)
    columns = ["amount", "saving", "unpriced_events", "is_recommended"]
    return {row[0]: row[1:] for row in rows.select("plan_key", *columns).rows()}


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        # 20 + 100 x 0.05 = 25 and 45 + 100 x 0.01 = 46
        pytest.param(100, {"basic": ("25", "0", True), "busy": ("46", "-21", False)}, id="little"),
        # 20 + 1000 x 0.05 = 70 and 45 + 1000 x 0.01 = 55
        pytest.param(1000, {"basic": ("70", "0", False), "busy": ("55", "15", True)}, id="much"),
        # 20 + 625 x 0.05 = 51.25 = 45 + 625 x 0.01
        pytest.param(625, {"basic": ("51.25", "0", True), "busy": ("51.25", "0", False)}, id="tie"),
    ],
)
def test_the_cheapest_plan_for_the_usage_is_recommended(
    minutes: int, expected: dict[str, tuple[str, str, bool]]
) -> None:
    assert compared(minutes, ["basic", "busy"]) == {
        key: (Decimal(amount), Decimal(saving), 0, is_recommended)
        for key, (amount, saving, is_recommended) in expected.items()
    }


def test_a_plan_that_cannot_price_everything_is_not_recommended() -> None:
    """A yearly fee of 366 is 31 for the 31 days of January in a leap year."""
    found = compared(1000, ["yearly"])

    assert found["yearly"] == (Decimal(31), Decimal(39), 1, False)
    assert found["basic"][3]


def test_a_plan_in_another_currency_is_not_recommended() -> None:
    euro = BUSY.model_copy(update={"currency": "EUR"})

    found = compared(1000, ["busy"], plans=[plan([LINE, MINUTES]), euro])

    assert (found["busy"][3], found["basic"][3]) == (False, True)


def test_the_current_plan_is_the_one_the_subscription_changed_to() -> None:
    change = {"subscription_key": "s1", "effective_on": day("2024-01-20"), "plan_key": "busy"}

    found = compared(100, ["basic"], change=(change,))

    assert found["busy"][1] == 0
    assert found["basic"][1] == 21


def test_a_subscription_outside_the_window_is_not_compared() -> None:
    assert compared(100, ["basic"], terms={"ended_on": day("2023-12-31")}) == {}
