"""Each control: silent on clean facts, speaking on one fault, quiet within its tolerance."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.assurance.catalogue import CONTROLS, controls_of, judged
from billing_pipeline.assurance.plausibility import (
    below_cost,
    suspense_age,
    unusual_amounts,
    usage_lies_within_subscriptions,
    zero_rated_usage,
)
from billing_pipeline.assurance.usage_summed import UsageSummed, summed_usage
from billing_pipeline.customers.policies import ControlSetting
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY
from billing_pipeline_tests.accounting.builders import Document, invoices_frame

JANUARY, FEBRUARY = dt.date(2026, 1, 1), dt.date(2026, 2, 1)
SUBSCRIPTIONS = pl.DataFrame(
    {
        "subscription_key": ["s1", "ended"],
        "account_key": "10001",
        "plan_key": "basic",
        "started_on": [JANUARY, dt.date(2025, 1, 1)],
        "ended_on": [None, JANUARY],
    },
    schema_overrides={"ended_on": pl.Date},
)


def rated(*rows: tuple[str, str, str | None]) -> pl.LazyFrame:
    """Events of `calls` to London as (started at, amount, cost)."""
    return pl.LazyFrame(
        {
            "account_key": "10001",
            "subscription_key": "s1",
            "product_key": "calls",
            "price_key": "minutes",
            "rate_name": "London",
            "rate_prefix": "44",
            "rate_band": "",
            "rate_valid_from": JANUARY,
            "spans": pl.Series([None] * len(rows), dtype=pl.String),
            "connection_fee": Decimal(0),
            "currency": "GBP",
            "started_at": [dt.datetime.fromisoformat(start) for start, _, _ in rows],
            "unit_price": Decimal("0.05"),
            "billable_units": pl.Series([Decimal(60)] * len(rows), dtype=QUANTITY),
            "amount": [Decimal(amount) for _, amount, _ in rows],
            "cost_amount": [None if cost is None else Decimal(cost) for _, _, cost in rows],
        },
        schema_overrides={"amount": AMOUNT, "cost_amount": AMOUNT},
    )


NOON = "2026-01-15T12:00:00+00:00"
GOOD = rated((NOON, "0.05", "0.03"))


def summed(usage: pl.LazyFrame, time_zone: str = "Europe/London") -> UsageSummed:
    return summed_usage([usage], time_zone)


def per_day(usage: pl.LazyFrame, time_zone: str = "Europe/London") -> pl.DataFrame:
    return summed(usage, time_zone).per_day


def documents(*nets: int) -> pl.DataFrame:
    return invoices_frame([Document(f"INV-{n}", [("calls", net)]) for n, net in enumerate(nets)])


def suspense(days_old: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "feed_key": ["cdr"],
            "reason": ["no_price"],
            "started_at": [NOW - dt.timedelta(days=days_old)],
            "quantity": [Decimal(60)],
        }
    )


NOW = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
HISTORY = documents(900, 1000, 5000)


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        pytest.param(
            lambda: usage_lies_within_subscriptions(per_day(GOOD), SUBSCRIPTIONS),
            [],
            id="usage within",
        ),
        pytest.param(
            lambda: usage_lies_within_subscriptions(
                per_day(rated(("2025-12-31T23:59:59+00:00", "0.05", None)), "Europe/London"),
                SUBSCRIPTIONS,
            ),
            [("usage_outside_subscription", "s1")],
            id="usage a second too early",
        ),
        pytest.param(
            lambda: usage_lies_within_subscriptions(
                per_day(rated(("2025-12-31T23:59:59+00:00", "0.05", None)), "Europe/Berlin"),
                SUBSCRIPTIONS,
            ),
            [],
            id="the same second is the new year in Berlin",
        ),
        pytest.param(lambda: zero_rated_usage(summed(GOOD).free, Decimal(0)), [], id="priced"),
        pytest.param(
            lambda: zero_rated_usage(summed(rated((NOON, "0", None))).free, Decimal(99)),
            [("zero_rated", "calls")],
            id="free calls",
        ),
        pytest.param(
            lambda: zero_rated_usage(
                summed(rated((NOON, "0", None), (NOON, "1", None))).free, Decimal(50)
            ),
            [],
            id="half of them free is tolerated",
        ),
        pytest.param(lambda: below_cost(summed(GOOD).margins, Decimal(0)), [], id="earned"),
        pytest.param(
            lambda: below_cost(summed(rated((NOON, "0.05", "0.06"))).margins, Decimal(0)),
            [("below_cost", "calls London GBP")],
            id="sold below cost",
        ),
        pytest.param(
            lambda: below_cost(summed(rated((NOON, "0.05", "0.0625"))).margins, Decimal(20)),
            [],
            id="20 % lost is tolerated",
        ),
        pytest.param(
            lambda: unusual_amounts(documents(3000), HISTORY, Decimal(3)), [], id="three times"
        ),
        pytest.param(
            lambda: unusual_amounts(documents(3001), HISTORY, Decimal(3)),
            [("unusual_amount", "key/INV-0")],
            id="above three times the median of 10.00",
        ),
        pytest.param(
            lambda: unusual_amounts(documents(9999), HISTORY.clear(), Decimal(3)),
            [],
            id="no history",
        ),
        pytest.param(lambda: suspense_age(suspense(7), NOW, Decimal(7)), [], id="a week old"),
        pytest.param(
            lambda: suspense_age(suspense(8), NOW, Decimal(7)),
            [("suspense_age", "cdr no_price")],
            id="older than a week",
        ),
    ],
)
def test_a_control_says_what_it_should(
    control: Callable[[], pl.DataFrame], expected: list[tuple[str, str]]
) -> None:
    assert control().select("control", "subject").rows() == expected


def test_usage_summed_in_portions_is_usage_summed_at_once() -> None:
    early, late = GOOD, rated(("2026-01-14T12:00:00+00:00", "0", "0.01"), (NOON, "0.07", None))

    apart, at_once = (
        summed_usage(portions, "Europe/London")
        for portions in ([early, late], [pl.concat([early, late])])
    )

    for name, frame in vars(apart).items():
        whole = getattr(at_once, name)
        assert frame.sort(pl.all()).equals(whole.sort(pl.all()))
    assert apart.counted["events"].sum() == 3
    assert apart.at_prices["first"].to_list() == [dt.date(2026, 1, 14)]


def test_margins_stand_worst_first() -> None:
    usage = pl.concat([GOOD, rated((NOON, "0.01", "0.04")).with_columns(rate_name=pl.lit("Mars"))])

    assert summed(usage).margins.select("rate_name", "margin").rows() == [
        ("Mars", Decimal("-0.03")),
        ("London", Decimal("0.02")),
    ]


def test_a_tenant_sets_severity_tolerance_and_owner_or_switches_a_control_off() -> None:
    controls = controls_of(
        {
            "below_cost": ControlSetting(
                severity="block", tolerance=Decimal(5), owner="carrier desk"
            ),
            "zero_rated": ControlSetting(is_off=True),
        }
    )

    changed = controls["below_cost"]
    assert (changed.severity, changed.tolerance, changed.owner) == (
        "block",
        Decimal(5),
        "carrier desk",
    )
    assert "zero_rated" not in controls
    assert controls["suspense_age"].tolerance == 7


def test_findings_take_the_severity_the_tenant_wants() -> None:
    found = pl.concat(
        [
            below_cost(summed(rated((NOON, "0.05", "0.06"))).margins, Decimal(0)),
            zero_rated_usage(summed(rated((NOON, "0", None))).free, Decimal(0)),
        ]
    )
    controls = controls_of(
        {
            "below_cost": ControlSetting(severity="block"),
            "zero_rated": ControlSetting(is_off=True),
        }
    )

    assert judged(found, controls).select("control", "severity").rows() == [("below_cost", "block")]


def test_a_setting_of_an_unknown_control_is_refused() -> None:
    with pytest.raises(ValueError, match="no control is called margin"):
        controls_of({"margin": ControlSetting()})


def test_controls_have_one_name_each() -> None:
    assert len({control.name for control in CONTROLS}) == len(CONTROLS)
