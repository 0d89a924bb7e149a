"""Bands of the week and wall clocks."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.catalog.rate_cards import TimeBand
from billing_pipeline.rating.local_time import days_since, wall_clock
from billing_pipeline.rating.time_bands import time_bands
from billing_pipeline_tests.rating.given import at

WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]
PEAK = TimeBand.model_validate(
    {"key": "peak", "weekdays": WORKDAYS, "from_time": "08:00", "until_time": "19:00"}
)
NIGHT = TimeBand.model_validate({"key": "night", "from_time": "22:00", "until_time": "06:00"})
WEEKEND = TimeBand.model_validate({"key": "weekend", "weekdays": ["sat", "sun"]})


def band_at(local: str, *bands: TimeBand) -> str:
    moment = pl.DataFrame({"at": [dt.datetime.fromisoformat(local)]})
    return str(time_bands(bands).at(moment.get_column("at")).item())


@pytest.mark.parametrize(
    ("local", "expected"),
    [  # 2 March 2026 is a Monday
        pytest.param("2026-03-02T07:59:59.999999", "", id="the last moment before a band"),
        pytest.param("2026-03-02T08:00:00", "peak", id="its first moment"),
        pytest.param("2026-03-02T18:59:59.999999", "peak", id="its last moment"),
        pytest.param("2026-03-02T19:00:00", "", id="the end is exclusive"),
        pytest.param("2026-03-02T22:00:00", "night", id="band over midnight, evening"),
        pytest.param("2026-03-03T05:59:59", "night", id="band over midnight, morning"),
        pytest.param("2026-03-03T06:00:00", "", id="band over midnight has an end"),
        pytest.param("2026-03-07T12:00:00", "weekend", id="Saturday"),
        pytest.param("2026-03-08T23:59:59", "night", id="the first band declared holds"),
        pytest.param("2026-03-09T00:00:00", "night", id="Monday begins a new week"),
    ],
)
def test_a_moment_lies_in_the_first_band_that_fits(local: str, expected: str) -> None:
    assert band_at(local, PEAK, NIGHT, WEEKEND) == expected


def test_a_band_over_midnight_covers_the_morning_of_its_own_days_only() -> None:
    friday_night = TimeBand.model_validate(
        {"key": "late", "weekdays": ["fri"], "from_time": "22:00", "until_time": "06:00"}
    )

    found = [
        band_at(f"2026-03-{day}", friday_night)
        for day in ("06T05:00", "06T23:00", "07T05:00")  # Friday, Friday, Saturday
    ]

    assert found == ["late", "late", ""]


@pytest.mark.parametrize(
    ("instant", "zone", "local"),
    [
        pytest.param("2026-07-01T23:30Z", "Europe/London", "2026-07-02T00:30", id="summer"),
        pytest.param("2026-01-01T23:30Z", "Europe/London", "2026-01-01T23:30", id="winter"),
        pytest.param("2026-03-29T00:59Z", "Europe/London", "2026-03-29T00:59", id="before the gap"),
        pytest.param("2026-03-29T01:00Z", "Europe/London", "2026-03-29T02:00", id="after the gap"),
        pytest.param("2026-10-25T00:30Z", "Europe/London", "2026-10-25T01:30", id="first 01:30"),
        pytest.param("2026-10-25T01:30Z", "Europe/London", "2026-10-25T01:30", id="second 01:30"),
        pytest.param("2026-01-01T04:00Z", "America/New_York", "2025-12-31T23:00", id="year end"),
        pytest.param("2026-01-01T18:30Z", "Asia/Kathmandu", "2026-01-02T00:15", id="quarter hours"),
    ],
)
def test_instants_are_told_by_the_wall_clock(instant: str, zone: str, local: str) -> None:
    found = wall_clock(pl.Series([at(instant)]), zone).to_list()

    assert found == [dt.datetime.fromisoformat(local)]


ZONES = ["UTC", "Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]
instants = st.datetimes(
    min_value=dt.datetime(2005, 1, 1), max_value=dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC)
)


@given(moments=st.lists(instants, max_size=5), zone=st.sampled_from(ZONES))
def test_the_wall_clock_agrees_with_the_zone_at_every_instant(
    moments: list[dt.datetime], zone: str
) -> None:
    series = pl.Series(moments, dtype=pl.Datetime("us", "UTC"))

    expected = series.dt.convert_time_zone(zone).dt.replace_time_zone(None)

    assert wall_clock(series, zone).to_list() == expected.to_list()


def test_days_are_counted_once_for_all_or_one_by_one() -> None:
    starts = pl.Series([dt.date(2026, 1, 1), dt.date(2026, 2, 1)])
    january = pl.Series([dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 31, 23, 59)])
    both = pl.Series([dt.datetime(2025, 12, 31), *january, dt.datetime(2026, 2, 1)])

    assert days_since(starts, january) == 1
    counted = days_since(starts, both)
    assert isinstance(counted, pl.Series)
    assert counted.to_list() == [0, 1, 1, 2]
