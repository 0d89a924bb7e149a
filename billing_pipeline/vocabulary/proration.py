"""Which part of a period's price is owed for a part of the period, as an exact fraction.

A service that covers the whole period owes the whole price under every rule; no rule owes more.
Periods of days and weeks know only actual days.
"""

from fractions import Fraction
from math import lcm
from typing import Literal, get_args

import polars as pl

from billing_pipeline.vocabulary.periods import (
    MONTHS_IN,
    Interval,
    Period,
    days_between,
    month_number,
)

ProrationRule = Literal[
    "actual_days", "calendar_month", "thirty_days", "thirty_360", "days_365_12", "none"
]
PRORATION_RULES: tuple[ProrationRule, ...] = get_args(ProrationRule)

DAYS_IN_MONTH = 30
_DAYS_IN_YEAR = 365
_MONTHS_IN_YEAR = 12
# Every month's length divides it, so a day of any calendar month is a whole number of parts.
_PARTS_IN_MONTH = lcm(28, 29, 30, 31)


def proration_fraction(
    rule: ProrationRule, service: Period, period: Period, interval: Interval
) -> Fraction:
    """Part of the period's price that is owed for `service`, for a single period.

    `service` lies within `period`. Source of the rules: `prorated_parts`.
    """
    row = pl.DataFrame(
        {
            "service_from": [service.period_from],
            "service_until": [service.period_until],
            "period_from": [period.period_from],
            "period_until": [period.period_until],
        }
    )
    numerator, denominator = prorated_parts(rule, pl.lit(MONTHS_IN[interval]))
    owed, whole = row.select(numerator.alias("owed"), denominator.alias("whole")).row(0)
    return Fraction(int(owed), int(whole))


def prorated_parts(rule: ProrationRule, months: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Numerator and denominator of the part of a period's price that is owed.

    Shape: row by row over `service_from, service_until, period_from, period_until`; `months` is
    the period's length, zero for days and weeks. The rules, for a monthly period:
    `actual_days` days of service / days of the period; `calendar_month` each day is worth one
    day of the calendar month it lies in; `thirty_days` days / 30; `thirty_360` days counted as
    in 30/360 bonds / 30; `days_365_12` days / (365 / 12); `none` always the whole price.
    Units: whole numbers; longer periods multiply the denominator by their months.
    """
    served = pl.col("service_from"), pl.col("service_until")
    whole = pl.col("period_from"), pl.col("period_until")
    actual = days_between(*served), days_between(*whole)
    if rule == "none":
        return pl.lit(1, dtype=pl.Int64), pl.lit(1, dtype=pl.Int64)
    if rule == "actual_days":
        return actual
    months = months.cast(pl.Int64)
    owed, denominator = {
        "calendar_month": (
            _calendar_parts(served[1]) - _calendar_parts(served[0]),
            months * _PARTS_IN_MONTH,
        ),
        "thirty_days": (actual[0], months * DAYS_IN_MONTH),
        "thirty_360": (
            _bond_days(served[1]) - _bond_days(served[0]),
            months * DAYS_IN_MONTH,
        ),
        "days_365_12": (actual[0] * _MONTHS_IN_YEAR, months * _DAYS_IN_YEAR),
    }[rule]
    is_whole = (served[0] == whole[0]) & (served[1] == whole[1])
    capped = pl.when(is_whole).then(denominator).otherwise(pl.min_horizontal(owed, denominator))
    return (
        pl.when(months > 0).then(capped).otherwise(actual[0]),
        pl.when(months > 0).then(denominator).otherwise(actual[1]),
    )


def _calendar_parts(day: pl.Expr) -> pl.Expr:
    """Parts of calendar months before `day`; every month has the same number of them."""
    part = _PARTS_IN_MONTH // day.dt.days_in_month().cast(pl.Int64)
    return month_number(day).cast(pl.Int64) * _PARTS_IN_MONTH + (day.dt.day() - 1) * part


def _bond_days(day: pl.Expr) -> pl.Expr:
    """Days before `day` where every month has thirty; the 31st counts as the 30th."""
    of_month = pl.min_horizontal(day.dt.day(), pl.lit(DAYS_IN_MONTH, dtype=pl.Int8))
    return month_number(day).cast(pl.Int64) * DAYS_IN_MONTH + of_month - 1
