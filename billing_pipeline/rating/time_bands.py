"""Which band of a rate card a moment of the week lies in."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.rate_cards import TimeBand

ANY_TIME = ""
"""Band of prices that hold at any time."""

_DAY = 86_400
_WEEK = 7 * _DAY
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class WeekBands:
    """The week cut at every band's bounds: from `starts[i]` on, `bands[i]` prices a call."""

    starts: pl.Series
    bands: tuple[str, ...]

    def at(self, second_of_week: pl.Series) -> pl.Series:
        """Band of each second of the week, an empty string outside all. Shape: row by row."""
        place = self.starts.search_sorted(second_of_week, side="right") - 1
        return pl.Series("band", self.bands, dtype=pl.String).gather(place)


def week_bands(bands: Sequence[TimeBand]) -> WeekBands:
    """Cut the week at all bounds; where bands overlap the first one declared holds.

    A band whose `until_time` is not after its `from_time` covers the beginning and the end of
    each of its own days: 20:00 to 06:00 on Monday is Monday 00:00-06:00 and 20:00-24:00.
    """
    spans = [
        (start, end, band.key)
        for band in bands
        for weekday in band.weekdays
        for start, end in _spans_of_day(band, _WEEKDAYS.index(weekday) * _DAY)
    ]
    starts = sorted({0, *(bound % _WEEK for start, end, _ in spans for bound in (start, end))})
    held = tuple(
        next((key for start, end, key in spans if start <= moment < end), ANY_TIME)
        for moment in starts
    )
    return WeekBands(pl.Series("starts", starts, dtype=pl.Int32), held)


def _spans_of_day(band: TimeBand, midnight: int) -> list[tuple[int, int]]:
    begin, until = _second_of_day(band.from_time), _second_of_day(band.until_time) or _DAY
    if begin < until:
        return [(midnight + begin, midnight + until)]
    return [(midnight, midnight + until), (midnight + begin, midnight + _DAY)]


def _second_of_day(time: dt.time) -> int:
    return time.hour * 3600 + time.minute * 60 + time.second
