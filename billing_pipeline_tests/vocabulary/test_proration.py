"""Proration rules, each with figures worked by hand."""

import datetime as dt
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.vocabulary.periods import Interval, Period, period_containing
from billing_pipeline.vocabulary.proration import ProrationRule, proration_fraction

JANUARY = Period(dt.date(2024, 1, 1), dt.date(2024, 2, 1))
FEBRUARY = Period(dt.date(2024, 2, 1), dt.date(2024, 3, 1))
FROM_16_JANUARY = Period(dt.date(2024, 1, 16), dt.date(2024, 2, 1))
FROM_15_FEBRUARY = Period(dt.date(2024, 2, 15), dt.date(2024, 3, 1))
QUARTER = Period(dt.date(2024, 1, 1), dt.date(2024, 4, 1))
YEAR = Period(dt.date(2024, 1, 1), dt.date(2025, 1, 1))
ANNIVERSARY = Period(dt.date(2024, 1, 15), dt.date(2024, 2, 15))
FROM_20_JANUARY = Period(dt.date(2024, 1, 20), dt.date(2024, 2, 15))
RULES = get_args(ProrationRule)


@pytest.mark.parametrize(
    ("rule", "service", "period", "interval", "expected"),
    [
        ("actual_days", FROM_16_JANUARY, JANUARY, "month", Fraction(16, 31)),
        ("actual_days", FROM_15_FEBRUARY, FEBRUARY, "month", Fraction(15, 29)),
        ("actual_days", FROM_16_JANUARY, QUARTER, "quarter", Fraction(16, 91)),
        # 12 days of January and 14 of February, each in its own month's money.
        (
            "calendar_month",
            FROM_20_JANUARY,
            ANNIVERSARY,
            "month",
            Fraction(12, 31) + Fraction(14, 29),
        ),
        ("calendar_month", FROM_15_FEBRUARY, QUARTER, "quarter", Fraction(15, 29) / 3),
        ("thirty_days", FROM_16_JANUARY, JANUARY, "month", Fraction(16, 30)),
        ("thirty_days", FROM_15_FEBRUARY, FEBRUARY, "month", Fraction(15, 30)),
        ("thirty_360", FROM_16_JANUARY, JANUARY, "month", Fraction(15, 30)),
        ("thirty_360", FROM_15_FEBRUARY, FEBRUARY, "month", Fraction(16, 30)),
        ("thirty_360", FROM_16_JANUARY, QUARTER, "quarter", Fraction(15, 90)),
        ("thirty_360", FROM_16_JANUARY, YEAR, "year", Fraction(15, 360)),
        ("days_365_12", FROM_16_JANUARY, JANUARY, "month", Fraction(16 * 12, 365)),
        ("days_365_12", FROM_16_JANUARY, YEAR, "year", Fraction(16, 365)),
        ("none", FROM_16_JANUARY, JANUARY, "month", Fraction(1)),
    ],
)
def test_a_part_of_a_period_owes_the_part_its_rule_says(
    rule: ProrationRule, service: Period, period: Period, interval: Interval, expected: Fraction
) -> None:
    assert proration_fraction(rule, service, period, interval) == expected


@given(
    rule=st.sampled_from(RULES),
    interval=st.sampled_from(get_args(Interval)),
    anchor=st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)),
    day=st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)),
)
def test_a_whole_period_owes_the_whole_price_under_every_rule(
    rule: ProrationRule, interval: Interval, anchor: dt.date, day: dt.date
) -> None:
    period = period_containing(anchor, interval, day)

    assert proration_fraction(rule, period, period, interval) == 1


@given(
    rule=st.sampled_from(RULES),
    interval=st.sampled_from(get_args(Interval)),
    anchor=st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)),
    service_from=st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)),
    length=st.integers(1, 400),
)
def test_no_rule_owes_nothing_or_more_than_the_price(
    rule: ProrationRule,
    interval: Interval,
    anchor: dt.date,
    service_from: dt.date,
    length: int,
) -> None:
    period = period_containing(anchor, interval, service_from)
    service_until = min(service_from + dt.timedelta(days=length), period.period_until)

    owed = proration_fraction(rule, Period(service_from, service_until), period, interval)

    assert 0 <= owed <= 1
    assert owed > 0 or rule == "thirty_360"


@given(
    anchor=st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)),
    interval=st.sampled_from(get_args(Interval)),
    service_from=st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)),
)
def test_the_two_parts_of_a_period_owe_the_whole_by_actual_days(
    anchor: dt.date, interval: Interval, service_from: dt.date
) -> None:
    period = period_containing(anchor, interval, service_from)
    parts = [Period(period.period_from, service_from), Period(service_from, period.period_until)]

    owed = [proration_fraction("actual_days", part, period, interval) for part in parts]

    assert sum(owed) == 1
