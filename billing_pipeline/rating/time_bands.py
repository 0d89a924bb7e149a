"""Which band a moment lies in: by time of day, weekday or public holiday, and season."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.rate_cards import TimeBand

ANY_TIME = ""
"""Band of prices that hold at any time."""

_DAY = 86_400
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOLIDAY = "holiday"
_KINDS = (*_WEEKDAYS, _HOLIDAY)
_MONTH = 100
"""A day of the year is written as month * 100 + day: 1 June is 601."""

_NEW_YEAR = 101
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Bands:
    """Every kind of day cut at its bands' bounds: from `starts[i]` to `ends[i]`, `bands[i]` holds.

    A kind of day is a weekday or holiday in a season; its seconds stand one day after those of
    the kind before. `seasons` are the days of the year on which one begins, rising.
    """

    holidays: pl.Series
    seasons: pl.Series
    starts: pl.Series
    ends: pl.Series
    bands: tuple[str, ...]

    def at(self, local: pl.Series) -> pl.Series:
        """Band of each local time, an empty string outside all. Shape: row by row."""
        return pl.Series("band", self.bands, dtype=pl.String).gather(self._place(local))

    def microseconds_left(self, local: pl.Series) -> pl.Series:
        """Time from each local time until its band may end, at midnight at the latest."""
        ends = self.ends.gather(self._place(local)).cast(pl.Int64)
        passed = _second_of_day(local).cast(pl.Int64) * _MICROSECONDS + local.dt.microsecond()
        return (ends * _MICROSECONDS - passed).rename("left")

    def _place(self, local: pl.Series) -> pl.Series:
        days = local.to_frame("at").select(
            weekday=pl.col("at").dt.weekday().cast(pl.Int32) - 1,
            date=pl.col("at").dt.date(),
            year_day=pl.col("at").dt.month().cast(pl.Int32) * _MONTH
            + pl.col("at").dt.day().cast(pl.Int32),
        )
        is_holiday = days.get_column("date").is_in(self.holidays.implode())
        kind = days.select(
            pl.when(pl.lit(is_holiday)).then(len(_WEEKDAYS)).otherwise("weekday").cast(pl.Int32)
        ).to_series()
        if self.seasons.len():
            season = self.seasons.search_sorted(days.get_column("year_day"), side="right")
            kind = kind + season.cast(pl.Int32) * len(_KINDS)
        moment = kind * _DAY + _second_of_day(local)
        return self.starts.search_sorted(moment, side="right") - 1


def time_bands(bands: Sequence[TimeBand], holidays: Sequence[dt.date] = ()) -> Bands:
    """Cut every kind of day at all bounds; where bands overlap the first one declared holds.

    A band whose `until_time` is not after its `from_time` covers the beginning and the end of
    each of its own days: 20:00 to 06:00 on Monday is Monday 00:00-06:00 and 20:00-24:00. A
    holiday is no weekday: a band holds on it that names `holiday`, or all seven weekdays.
    """
    seasons = sorted({day for band in bands for day in _season(band) if day is not None})
    starts, ends, held = [], [], []
    for season in range(len(seasons) + 1):
        first = seasons[season - 1] if season else _NEW_YEAR
        for number, kind in enumerate(_KINDS):
            fitting = [band for band in bands if _is_on(band, kind) and _in_season(band, first)]
            offset = (season * len(_KINDS) + number) * _DAY
            cuts = sorted({0, *(bound % _DAY for band in fitting for bound in _bounds(band))})
            for start, end in zip(cuts, [*cuts[1:], _DAY], strict=True):
                starts.append(offset + start)
                ends.append(end)
                held.append(_first(fitting, start))
    return Bands(
        holidays=pl.Series("holiday", holidays, dtype=pl.Date),
        seasons=pl.Series("season", seasons, dtype=pl.Int32),
        starts=pl.Series("start", starts, dtype=pl.Int32),
        ends=pl.Series("end", ends, dtype=pl.Int32),
        bands=tuple(held),
    )


def _is_on(band: TimeBand, kind: str) -> bool:
    return kind in band.weekdays or (kind == _HOLIDAY and {*_WEEKDAYS} <= {*band.weekdays})


def _season(band: TimeBand) -> tuple[int | None, int | None]:
    return _year_day(band.from_day), _year_day(band.until_day)


def _year_day(text: str | None) -> int | None:
    return None if text is None else int(text[:2]) * _MONTH + int(text[3:])


def _in_season(band: TimeBand, day: int) -> bool:
    since, until = _season(band)
    if since is None or until is None:
        return True
    if since < until:
        return since <= day < until
    return day >= since or day < until


def _bounds(band: TimeBand) -> tuple[int, int]:
    return _seconds(band.from_time), _seconds(band.until_time)


def _first(bands: Sequence[TimeBand], second: int) -> str:
    for band in bands:
        begin, until = _bounds(band)
        until = until or _DAY
        is_in = begin <= second < until if begin < until else second < until or second >= begin
        if is_in:
            return band.key
    return ANY_TIME


def _seconds(time: dt.time) -> int:
    return time.hour * 3600 + time.minute * 60 + time.second


def _second_of_day(local: pl.Series) -> pl.Series:
    return (
        local.dt.hour().cast(pl.Int32) * 3600
        + local.dt.minute().cast(pl.Int32) * 60
        + local.dt.second().cast(pl.Int32)
    )
