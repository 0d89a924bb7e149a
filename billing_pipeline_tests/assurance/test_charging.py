"""Who should be charged is, nobody else is, and agreements end when they do."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.assurance.charging import (
    charges_have_subscriptions,
    discounts_end,
    exchange_rates_current,
    included_units_kept,
    rate_cards_current,
    subscriptions_are_charged,
)
from billing_pipeline.assurance.schema import RATE_CARD_AGES
from billing_pipeline.customers.policies import ExchangeRate
from billing_pipeline_tests.accounting.builders import Document, invoices_frame, tenant
from billing_pipeline_tests.assurance.given import (
    CATALOG,
    FEBRUARY,
    JANUARY,
    MARCH,
    charge,
    subscription,
    used,
)

NO_CHARGE = charge().clear()


@pytest.mark.parametrize(
    ("charges", "day", "expected"),
    [
        pytest.param(charge(), FEBRUARY, [], id="January in advance is charged on 1 February"),
        pytest.param(NO_CHARGE, dt.date(2026, 1, 31), [], id="arrears of January are not due yet"),
        pytest.param(NO_CHARGE, FEBRUARY, ["S1"], id="January was left out"),
        pytest.param(charge(), dt.date(2026, 2, 28), [], id="February may still be in arrears"),
        pytest.param(charge(), MARCH, ["S1"], id="February was left out"),
    ],
)
def test_a_subscription_charged_up_to_a_period_ago_was_left_out(
    charges: pl.DataFrame, day: dt.date, expected: list[str]
) -> None:
    found = subscriptions_are_charged(subscription(), charges, CATALOG, day)

    assert found["subject"].to_list() == expected
    assert found["account_key"].to_list() == ["A1"] * len(expected)


def test_a_subscription_that_ended_where_its_charges_end_is_not_missed() -> None:
    ended = subscription(ended_on=FEBRUARY)

    assert subscriptions_are_charged(ended, charge(), CATALOG, dt.date(2026, 6, 1)).is_empty()


def test_a_plan_without_a_fee_owes_none() -> None:
    bundle = subscription(plan="bundle")

    assert subscriptions_are_charged(bundle, NO_CHARGE, CATALOG, MARCH).is_empty()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(charge(), [], id="of its time"),
        pytest.param(charge(amount="0"), [], id="of nobody, withdrawn"),
        pytest.param(
            charge(service_from=MARCH, service_until=dt.date(2026, 4, 1)),
            ["S1/fee/recurring/2026-03-01"],
            id="after the end",
        ),
        pytest.param(
            charge(subscription_key="S9"), ["S9/fee/recurring/2026-01-01"], id="of nobody"
        ),
    ],
)
def test_a_charge_needs_an_active_subscription(given: pl.DataFrame, expected: list[str]) -> None:
    owner = subscription(ended_on=FEBRUARY)
    rows = given if given.item(0, "amount") else given.with_columns(subscription_key=pl.lit("S9"))

    assert charges_have_subscriptions(rows, owner)["subject"].to_list() == expected


def test_a_discount_given_after_its_last_day_is_found() -> None:
    in_time = charge("discount", "january", "-2")
    late = charge("discount", "january", "-2", service_from=FEBRUARY, service_until=MARCH)

    found = discounts_end(pl.concat([in_time, late]), CATALOG)

    assert found["subject"].to_list() == ["S1/january/discount/2026-02-01"]


def test_a_discount_for_one_period_is_not_given_in_the_second() -> None:
    first = charge("discount", "welcome", "-2")
    second = charge("discount", "welcome", "-2", service_from=FEBRUARY, service_until=MARCH)

    assert discounts_end(first, CATALOG).is_empty()
    assert discounts_end(pl.concat([first, second]), CATALOG).height == 1


@pytest.mark.parametrize(
    ("minutes_used", "charged", "wrong"),
    [
        pytest.param(130, "30", 0, id="30 beyond 100"),
        pytest.param(90, "0", 0, id="all included"),
        pytest.param(130, "20", 1, id="110 were taken free"),
        pytest.param(130, "130", 1, id="nothing was taken free"),
    ],
)
def test_what_is_charged_is_what_was_used_less_what_is_included(
    minutes_used: int, charged: str, wrong: int
) -> None:
    usage = used((JANUARY, minutes_used, "0"), price="bundled")
    charges = charge("usage", "bundled", quantity=Decimal(charged))

    found = included_units_kept(charges, usage, subscription(plan="bundle"), CATALOG)

    assert found.height == wrong


def test_a_rate_card_that_ran_out_or_stands_for_years_is_named() -> None:
    cards = pl.DataFrame(
        [
            ("fresh", 10, dt.date(2026, 1, 1), None),
            ("old", 10, dt.date(2024, 1, 1), None),
            ("over", 10, dt.date(2025, 12, 1), JANUARY),
        ],
        schema=RATE_CARD_AGES.polars_schema,
        orient="row",
    )

    found = rate_cards_current(cards, FEBRUARY, Decimal(400))

    assert found.select("control", "subject").rows() == [
        ("rate_card_age", "old"),
        ("rate_card_lapsed", "over"),
    ]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        pytest.param([], [], id="nobody revalues"),
        pytest.param([("EUR", dt.date(2026, 1, 2))], [], id="thirty days old"),
        pytest.param([("EUR", dt.date(2025, 12, 31))], ["EUR"], id="too old"),
        pytest.param([("USD", JANUARY)], ["EUR"], id="of another currency"),
    ],
)
def test_a_currency_that_is_invoiced_needs_a_rate_of_late(
    rates: list[tuple[str, dt.date]], expected: list[str]
) -> None:
    documents = invoices_frame([Document("INV-1", [("calls", 1)], currency="EUR")])
    owner = tenant().model_copy(
        update={
            "exchange_rates": [
                ExchangeRate(currency=currency, valid_from=day, rate=Decimal("1.2"))
                for currency, day in rates
            ]
        }
    )

    found = exchange_rates_current(owner, documents, FEBRUARY, Decimal(31))

    assert found["subject"].to_list() == expected
