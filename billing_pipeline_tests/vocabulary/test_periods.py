"""Boundaries, local days and their first instants."""

import datetime as dt
from typing import get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.vocabulary.periods import (
    CALENDAR_ANCHOR,
    DAYS_IN,
    MONTHS_IN,
    Interval,
    Period,
    Step,
    boundary,
    boundary_on,
    day_starts_at,
    local_day,
    period_containing,
    period_index,
)

DAYS = st.dates(min_value=dt.date(1990, 1, 1), max_value=dt.date(2060, 12, 31))
INTERVALS = st.sampled_from(get_args(Interval))


def step(interval: Interval) -> Step:
    return Step(
        pl.lit(MONTHS_IN[interval], dtype=pl.Int32), pl.lit(DAYS_IN[interval], dtype=pl.Int32)
    )


def boundary_by_expression(anchor: dt.date, interval: Interval, index: int) -> dt.date:
    found: dt.date = pl.select(
        boundary(pl.lit(anchor), pl.lit(index, dtype=pl.Int32), step(interval))
    ).item()
    return found


@pytest.mark.parametrize(
    ("anchor", "interval", "expected"),
    [
        pytest.param("2023-01-29", "month", ["2023-02-28", "2023-03-29", "2023-04-29"], id="29"),
        pytest.param("2024-01-30", "month", ["2024-02-29", "2024-03-30", "2024-04-30"], id="30"),
        pytest.param("2023-01-31", "month", ["2023-02-28", "2023-03-31", "2023-04-30"], id="31"),
        pytest.param("2024-02-29", "year", ["2025-02-28", "2026-02-28", "2027-02-28"], id="leap"),
        pytest.param("2024-08-31", "quarter", ["2024-11-30", "2025-02-28", "2025-05-31"], id="q"),
        pytest.param("2024-08-31", "half_year", ["2025-02-28", "2025-08-31"], id="half-year"),
        pytest.param("2024-12-25", "week", ["2025-01-01", "2025-01-08"], id="week"),
        pytest.param("2024-02-28", "day", ["2024-02-29", "2024-03-01"], id="day"),
    ],
)
def test_boundaries_count_from_the_original_anchor(
    anchor: str, interval: Interval, expected: list[str]
) -> None:
    first = dt.date.fromisoformat(anchor)

    boundaries = [boundary_on(first, interval, n + 1) for n in range(len(expected))]

    assert boundaries == [dt.date.fromisoformat(day) for day in expected]


def test_a_yearly_leap_day_comes_back_in_the_next_leap_year() -> None:
    assert boundary_on(dt.date(2024, 2, 29), "year", 4) == dt.date(2028, 2, 29)


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        pytest.param("week", Period(dt.date(2024, 5, 13), dt.date(2024, 5, 20)), id="Monday"),
        pytest.param("month", Period(dt.date(2024, 5, 1), dt.date(2024, 6, 1)), id="month"),
        pytest.param("quarter", Period(dt.date(2024, 4, 1), dt.date(2024, 7, 1)), id="quarter"),
        pytest.param("half_year", Period(dt.date(2024, 1, 1), dt.date(2024, 7, 1)), id="half"),
        pytest.param("year", Period(dt.date(2024, 1, 1), dt.date(2025, 1, 1)), id="year"),
    ],
)
def test_calendar_periods_begin_where_calendars_do(interval: Interval, expected: Period) -> None:
    assert period_containing(CALENDAR_ANCHOR, interval, dt.date(2024, 5, 15)) == expected


def test_a_period_is_half_open_and_prints_its_last_day() -> None:
    january = Period(dt.date(2024, 1, 1), dt.date(2024, 2, 1))

    assert dt.date(2024, 1, 1) in january
    assert dt.date(2024, 2, 1) not in january
    assert january.last_day == dt.date(2024, 1, 31)
    assert january.days == 31


@given(anchor=DAYS, interval=INTERVALS, index=st.integers(-200, 200))
def test_expression_and_single_date_agree_on_boundaries(
    anchor: dt.date, interval: Interval, index: int
) -> None:
    assert boundary_by_expression(anchor, interval, index) == boundary_on(anchor, interval, index)


@given(anchor=DAYS, interval=INTERVALS, day=DAYS)
def test_every_day_lies_in_exactly_one_period(
    anchor: dt.date, interval: Interval, day: dt.date
) -> None:
    index: int = pl.select(period_index(pl.lit(anchor), pl.lit(day), step(interval))).item()

    assert boundary_on(anchor, interval, index) <= day < boundary_on(anchor, interval, index + 1)
    assert period_containing(anchor, interval, day) == Period(
        boundary_on(anchor, interval, index), boundary_on(anchor, interval, index + 1)
    )


@pytest.mark.parametrize(
    ("day", "time_zone", "instant", "hours"),
    [
        pytest.param("2024-07-01", "America/New_York", "2024-07-01T04:00", 24, id="summer"),
        pytest.param("2024-03-10", "America/New_York", "2024-03-10T05:00", 23, id="23 hours"),
        pytest.param("2024-11-03", "America/New_York", "2024-11-03T04:00", 25, id="25 hours"),
        pytest.param("2024-03-31", "Europe/London", "2024-03-31T00:00", 23, id="London spring"),
        pytest.param("2024-04-26", "Africa/Cairo", "2024-04-25T22:00", 23, id="no midnight"),
        pytest.param("2024-11-03", "America/Havana", "2024-11-03T04:00", 25, id="two midnights"),
        pytest.param("2024-10-06", "Australia/Lord_Howe", "2024-10-05T13:30", 23.5, id="half"),
        pytest.param("2011-12-30", "Pacific/Apia", "2011-12-30T10:00", 0, id="day that never was"),
    ],
)
def test_a_local_day_begins_at_its_first_instant(
    day: str, time_zone: str, instant: str, hours: float
) -> None:
    start = day_starts_at(dt.date.fromisoformat(day), time_zone)
    end = day_starts_at(dt.date.fromisoformat(day) + dt.timedelta(days=1), time_zone)

    assert start == dt.datetime.fromisoformat(instant + "+00:00")
    assert end - start == dt.timedelta(hours=hours)


@given(
    instant=st.datetimes(
        min_value=dt.datetime(2000, 1, 1),
        max_value=dt.datetime(2040, 1, 1),
        timezones=st.just(dt.UTC),
    ),
    time_zone=st.sampled_from(
        ["America/New_York", "Europe/London", "Europe/Berlin", "Africa/Cairo", "Asia/Kathmandu"]
    ),
)
def test_an_instant_lies_between_the_starts_of_its_day_and_the_next(
    instant: dt.datetime, time_zone: str
) -> None:
    frame = pl.DataFrame({"at": [instant]}, schema={"at": pl.Datetime("us", "UTC")})
    day: dt.date = frame.select(local_day(pl.col("at"), time_zone)).item()

    assert day_starts_at(day, time_zone) <= instant
    assert instant < day_starts_at(day + dt.timedelta(days=1), time_zone)
