"""What is taken off, and what is topped up."""

from dataclasses import replace
from decimal import Decimal

import pytest

from billing_pipeline.catalog.plans import Discount, Product
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
    subscription_discounts,
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


def test_a_discount_on_a_category_without_products_reduces_nothing() -> None:
    """A tenant above may give its products another category at any time."""
    given = facts(discounts=[discount(categories=["hardware"])], of_subscriptions=AGREED)

    assert amounts(charges_of(given, "2024-01-01")) == {"s1/line/recurring/2024-01-01": Decimal(20)}


def test_a_discount_on_a_category_reduces_its_products_only() -> None:
    given = facts(
        plans=[plan([LINE, {**LINE, "key": "router", "product": "router"}])],
        discounts=[discount(categories=["hardware"])],
        of_subscriptions=AGREED,
    )
    hardware = Product(key="router", name="Router", kind="recurring", category="hardware")
    sold = replace(given.catalog, products=(*given.catalog.products, hardware))

    charges = charges_of(replace(given, catalog=sold), "2024-01-01")

    assert {key: amount for key, amount in amounts(charges).items() if amount < 0} == {
        "s1/loyal:router/discount/2024-01-01": Decimal(-2)
    }


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


def with_discounts(*discounts: Discount, agreed: tuple[Row, ...] = ()) -> dict[str, Decimal]:
    """What discounts take of the fee of 20 in January and February."""
    given = facts(
        discounts=discounts,
        of_subscriptions=subscriptions({"discount_key": discounts[0].key}),
        of_discounts=subscription_discounts(*agreed),
    )
    charges = amounts(charges_of(given, "2024-02-01"))
    return {key: amount for key, amount in charges.items() if "discount" in key}


def test_an_amount_is_taken_once_a_period() -> None:
    off = discount(percent_off=None, amount_off="3")

    assert with_discounts(off) == {
        "s1/loyal:line/discount/2024-01-01": Decimal(-3),
        "s1/loyal:line/discount/2024-02-01": Decimal(-3),
    }


def test_an_amount_goes_on_to_the_next_charge_and_ends_at_zero() -> None:
    """25 off: 20 of the fee, which is billed first, and 2 of the usage, which is no more."""
    given = facts(
        plans=[plan([LINE, MINUTES])],
        discounts=[discount(percent_off=None, amount_off="25", periods=1)],
        of_subscriptions=AGREED,
        usage=rated(call("2024-01-05T12:00", 2400)),
    )

    charges = amounts(charges_of(given, "2024-02-01"))

    assert charges["s1/loyal:line/discount/2024-01-01"] == Decimal(-20)
    assert charges["s1/loyal:minutes/discount/2024-01-01"] == Decimal(-2)


def test_a_discount_that_ends_inside_a_period_reduces_its_days_only() -> None:
    """10 of 31 days: 10 % of 20 x 10 / 31."""
    assert with_discounts(discount(until=day("2024-01-11"))) == {
        "s1/loyal:line/discount/2024-01-01": Decimal("-0.6451612903")
    }


def test_discounts_are_taken_by_priority_and_percentages_are_of_the_full_charge() -> None:
    """15 off first, then 50 % of 20: 10, of which 5 are left to take."""
    first = discount(percent_off=None, amount_off="15", priority=1, periods=1)
    second = discount(key="half", percent_off=50, priority=2, periods=1)

    assert with_discounts(second, first, agreed=({"discount_key": "loyal"},)) == {
        "s1/loyal:line/discount/2024-01-01": Decimal(-15),
        "s1/half:line/discount/2024-01-01": Decimal(-5),
    }


def test_a_discount_agreed_later_reduces_from_that_day() -> None:
    """22 of February's 29 days: 10 % of 20 x 22 / 29, beside the 1 % of all of it."""
    own = discount(key="one", percent_off=1)
    later = ({"discount_key": "loyal", "valid_from": day("2024-02-08")},)

    assert with_discounts(own, discount(), agreed=later) == {
        "s1/one:line/discount/2024-01-01": Decimal("-0.2"),
        "s1/one:line/discount/2024-02-01": Decimal("-0.2"),
        "s1/loyal:line/discount/2024-02-01": Decimal("-1.5172413793"),
    }


def test_a_discount_agreed_for_two_spans_reduces_a_charge_twice() -> None:
    """10 and 11 of 31 days: 10 % of 20 x 10 / 31 and x 11 / 31."""
    spans = (
        {"discount_key": "loyal", "valid_until": day("2024-01-11")},
        {
            "discount_key": "loyal",
            "valid_from": day("2024-01-21"),
            "valid_until": day("2024-02-01"),
        },
    )
    given = facts(discounts=[discount()], of_discounts=subscription_discounts(*spans))

    assert amounts(charges_of(given, "2024-01-01")) == {
        "s1/line/recurring/2024-01-01": Decimal(20),
        "s1/loyal:line/discount/2024-01-01": Decimal("-0.6451612903"),
        "s1/loyal.2:line/discount/2024-01-01": Decimal("-0.7096774194"),
    }


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param({"percent_off": None}, id="neither"),
        pytest.param({"amount_off": "1"}, id="both"),
    ],
)
def test_a_discount_is_either_a_percentage_or_an_amount(terms: Row) -> None:
    with pytest.raises(ValueError, match="either percent_off or amount_off"):
        discount(**terms)
