"""Half-open spans of local days: cycles, boundaries, and where a local day begins in UTC.

A boundary is the original anchor plus n whole periods, clamped to the month's last day
(31 January, 28 February, 31 March), so no run depends on the run before it. The same rules
stand twice: as Polars expressions for many rows and as functions of single dates.
"""

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass
from typing import Literal

import polars as pl

Interval = Literal["day", "week", "month", "quarter", "half_year", "year"]
AnchorRule = Literal["anniversary", "calendar"]

MONTHS_IN: dict[Interval, int] = {
    "day": 0,
    "week": 0,
    "month": 1,
    "quarter": 3,
    "half_year": 6,
    "year": 12,
}
"""Months in one period; zero where a period is a number of days."""

DAYS_IN: dict[Interval, int] = {
    "day": 1,
    "week": 7,
    "month": 0,
    "quarter": 0,
    "half_year": 0,
    "year": 0,
}
"""Days in one period; zero where a period is a number of months."""

MONTHS_IN_YEAR = 12

CALENDAR_ANCHOR = dt.date(2001, 1, 1)
"""Anchor of calendar cycles: a Monday that begins a month, quarter, half-year and year."""


@dataclass(frozen=True, order=True)
class Period:
    """The local days from `period_from` up to, not including, `period_until`."""

    period_from: dt.date
    period_until: dt.date

    @property
    def days(self) -> int:
        """Number of local days."""
        return (self.period_until - self.period_from).days

    @property
    def last_day(self) -> dt.date:
        """The end as people print it."""
        return self.period_until - dt.timedelta(days=1)

    def __contains__(self, day: dt.date) -> bool:
        """Whether the local day lies in the period."""
        return self.period_from <= day < self.period_until


@dataclass(frozen=True)
class Step:
    """Length of a period per row: whole months, or days where `months` is zero."""

    months: pl.Expr
    days: pl.Expr


def boundary(anchor: pl.Expr, index: pl.Expr, step: Step) -> pl.Expr:
    """First day of period `index` counted from `anchor`.

    Shape: row by row. A day the month does not have becomes its last day; the anchor's own day
    comes back in longer months.
    """
    by_months = anchor.dt.offset_by(pl.format("{}mo", index * step.months))
    return pl.when(step.months > 0).then(by_months).otherwise(plus_days(anchor, index * step.days))


def period_index(anchor: pl.Expr, day: pl.Expr, step: Step) -> pl.Expr:
    """Index of the period that contains `day`; negative before the anchor.

    Shape: row by row. `boundary(index) <= day < boundary(index + 1)`.
    """
    months = month_number(day) - month_number(anchor)
    last_of_month = day.dt.days_in_month().cast(pl.Int8)
    is_before_day = day.dt.day() < pl.min_horizontal(anchor.dt.day(), last_of_month)
    by_months = (months - is_before_day.cast(pl.Int32)) // step.months
    by_days = (day.cast(pl.Int32) - anchor.cast(pl.Int32)) // step.days
    return pl.when(step.months > 0).then(by_months).otherwise(by_days)


def month_number(day: pl.Expr) -> pl.Expr:
    """Months since year 0, so that months can be counted. Shape: row by row."""
    return day.dt.year() * MONTHS_IN_YEAR + day.dt.month().cast(pl.Int32) - 1


def plus_days(day: pl.Expr, days: pl.Expr) -> pl.Expr:
    """The local day `days` later. Shape: row by row."""
    return (day.cast(pl.Int32) + days.cast(pl.Int32)).cast(pl.Date)


def days_between(day_from: pl.Expr, day_until: pl.Expr) -> pl.Expr:
    """Local days in a half-open span. Shape: row by row. Units: whole days."""
    return (day_until.cast(pl.Int32) - day_from.cast(pl.Int32)).cast(pl.Int64)


def boundary_on(anchor: dt.date, interval: Interval, index: int) -> dt.date:
    """First day of period `index` counted from `anchor`, for a single date."""
    if not MONTHS_IN[interval]:
        return anchor + dt.timedelta(days=index * DAYS_IN[interval])
    months = anchor.year * MONTHS_IN_YEAR + anchor.month - 1 + index * MONTHS_IN[interval]
    year, month = divmod(months, MONTHS_IN_YEAR)
    return dt.date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def period_containing(anchor: dt.date, interval: Interval, day: dt.date) -> Period:
    """The period of the cycle in which the local day lies, for a single date."""
    if MONTHS_IN[interval]:
        months = (day.year - anchor.year) * MONTHS_IN_YEAR + day.month - anchor.month
        index = months // MONTHS_IN[interval]
    else:
        index = (day - anchor).days // DAYS_IN[interval]
    if boundary_on(anchor, interval, index) > day:
        index -= 1
    return Period(boundary_on(anchor, interval, index), boundary_on(anchor, interval, index + 1))


def local_day(instant: pl.Expr, time_zone: str) -> pl.Expr:
    """The local day an instant falls on. Shape: row by row."""
    return instant.dt.convert_time_zone(time_zone).dt.date()


def day_start(day: pl.Expr, time_zone: str) -> pl.Expr:
    """First instant of a local day, in UTC.

    Shape: row by row. Where the clock skips midnight the day begins when the clock goes on
    (Cairo, 26 April 2024: 01:00); where midnight comes twice, at the first one.
    """
    midnight = day.cast(pl.Datetime("us"))
    # Clocks have skipped half an hour, an hour, and (Samoa, 2011) a whole day.
    skips = (dt.timedelta(0), dt.timedelta(minutes=30), dt.timedelta(hours=1), dt.timedelta(days=1))
    starts = (
        (midnight + pl.lit(skip)).dt.replace_time_zone(
            time_zone, ambiguous="earliest", non_existent="null"
        )
        for skip in skips
    )
    return pl.coalesce(list(starts)).dt.convert_time_zone("UTC")


def day_starts_at(day: dt.date, time_zone: str) -> dt.datetime:
    """First instant of a single local day, in UTC; see `day_start`."""
    instant: dt.datetime = pl.select(day_start(pl.lit(day), time_zone)).item()
    return instant.astimezone(dt.UTC)
