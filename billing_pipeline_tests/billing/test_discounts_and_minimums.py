"""What is taken off, and what is topped up."""

from decimal import Decimal

import pytest

from billing_pipeline.catalog.plans import Discount
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    Row,
    amounts,
    call,
    charges_of,
    day,
    facts,
    plan,
    rated,
    subscriptions,
)


def discount(**terms: object) -> Discount:
    return Discount.model_validate(
        {"key": "loyal", "name": "Loyalty", "product": "rebate", "percent_off": 10, **terms}
    )


AGREED = subscriptions({"discount_key": "loyal"})
FLOOR = {"key": "floor", "product": "floor", "amount": "31"}


def test_a_discount_is_a_negative_charge_beside_each_charge_it_reduces() -> None:
    given = facts(
        plans=[plan([LINE, MINUTES])],
        discounts=[discount()],
        of_subscriptions=AGREED,
        usage=rated(call("2024-01-05T12:00", 600)),
    )

    charges = charges_of(given, "2024-02-01")

    assert amounts(charges) == {
        "s1/line/recurring/2024-01-01": Decimal(20),
        "s1/line/recurring/2024-02-01": Decimal(20),
        "s1/loyal:line/discount/2024-01-01": Decimal(-2),
        "s1/loyal:line/discount/2024-02-01": Decimal(-2),
        "s1/loyal:minutes/discount/2024-01-01": Decimal("-0.05"),
        "s1/minutes/usage/2024-01-01": Decimal("0.5"),
    }


@pytest.mark.parametrize(
    ("terms", "reduced"),
    [
        pytest.param({"periods": 1}, ["loyal:line/discount/2024-01-01"], id="first period only"),
        pytest.param({"products": ["minutes"]}, [], id="another product"),
        pytest.param(
            {"products": ["line"], "periods": 2},
            ["loyal:line/discount/2024-01-01", "loyal:line/discount/2024-02-01"],
            id="two periods",
        ),
    ],
)
def test_a_discount_reduces_its_products_for_its_periods(terms: Row, reduced: list[str]) -> None:
    given = facts(discounts=[discount(**terms)], of_subscriptions=AGREED)

    charges = charges_of(given, "2024-03-01")

    assert [key for key in amounts(charges) if "discount" in key] == [f"s1/{k}" for k in reduced]


def test_periods_of_a_discount_are_counted_from_the_first_that_is_charged() -> None:
    given = facts(
        plans=[plan(trial_days=31)], discounts=[discount(periods=1)], of_subscriptions=AGREED
    )

    assert amounts(charges_of(given, "2024-03-01")) == {
        "s1/line/recurring/2024-02-01": Decimal(20),
        "s1/line/recurring/2024-03-01": Decimal(20),
        "s1/loyal:line/discount/2024-02-01": Decimal(-2),
    }


def test_all_that_can_be_taken_off_is_everything() -> None:
    given = facts(discounts=[discount(percent_off=100)], of_subscriptions=AGREED)

    assert sum(amounts(charges_of(given, "2024-01-01")).values()) == 0


@pytest.mark.parametrize(
    ("seconds", "terms", "fee", "expected"),
    [
        pytest.param(0, {}, {}, "31", id="no usage"),
        pytest.param(12000, {}, {}, "21", id="10 used"),
        pytest.param(37200, {}, {}, None, id="exactly the floor"),
        pytest.param(60000, {}, {}, None, id="more than the floor"),
        pytest.param(0, {"ended_on": day("2024-01-11")}, {}, "10", id="10 of 31 days"),
        pytest.param(
            0, {"ended_on": day("2024-01-11")}, {"proration": "none"}, "31", id="never prorated"
        ),
    ],
)
def test_a_minimum_fee_tops_usage_up(
    seconds: int, terms: Row, fee: Row, expected: str | None
) -> None:
    given = facts(
        plans=[plan([MINUTES], minimum_fee=FLOOR | dict(fee))],
        of_subscriptions=subscriptions(terms),
        usage=rated(*([call("2024-01-05T12:00", seconds)] if seconds else [])),
    )

    charged = amounts(charges_of(given, "2024-02-01")).get("s1/floor/minimum/2024-01-01")

    assert charged == (None if expected is None else Decimal(expected))


def test_a_minimum_is_owed_on_the_final_bill_of_the_period_only() -> None:
    given = facts(plans=[plan([MINUTES], minimum_fee=FLOOR)])

    assert charges_of(given, "2024-01-31").is_empty()


def test_what_counts_towards_the_floor_is_usage_after_its_discount() -> None:
    """10 used, 1 off: 9 count towards 31, 22 are missing."""
    given = facts(
        plans=[plan([MINUTES], minimum_fee=FLOOR)],
        discounts=[discount()],
        of_subscriptions=AGREED,
        usage=rated(call("2024-01-05T12:00", 12000)),
    )

    assert sum(amounts(charges_of(given, "2024-02-01")).values()) == 31


def test_days_of_a_trial_do_not_count_towards_the_floor() -> None:
    given = facts(plans=[plan([MINUTES], minimum_fee=FLOOR, trial_days=21)])

    assert amounts(charges_of(given, "2024-02-01")) == {"s1/floor/minimum/2024-01-22": Decimal(10)}
