"""Wall-clock time of events in the tenant's zone."""

import datetime as dt
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.vocabulary.frames import UTC_INSTANT

_TICK = dt.timedelta(hours=1)
_SECONDS_OF_DAY = 86_400


def wall_clock(instants: pl.Series, time_zone: str) -> pl.Series:
    """Local date and time without zone of UTC instants. Shape: row by row.

    Between two changes of the zone's offset, where nearly every usage day lies, it is one
    addition; a span with a change is converted instant by instant.
    """
    offset = _constant_offset(instants, time_zone)
    if offset is None:
        return instants.dt.convert_time_zone(time_zone).dt.replace_time_zone(None)
    return instants.dt.replace_time_zone(None) + offset


def days_since(starts: pl.Series, local: pl.Series) -> pl.Series | int:
    """How many of the rising days `starts` have begun at each local time.

    Shape: row by row; a single number where it is the same for all, as it is for most days.
    """
    begun = starts.search_sorted(
        pl.Series("day", [local.min(), local.max()], dtype=local.dtype).dt.date(), side="right"
    )
    if local.is_empty() or begun[0] == begun[1]:
        return int(begun[0])
    return starts.search_sorted(local.dt.date(), side="right").cast(pl.Int32)


def offset_changes(first: dt.datetime, last: dt.datetime, time_zone: str) -> pl.Series:
    """Instants after `first`, up to `last`, on which the zone's clocks are changed, rising."""
    hours = _ticks(first, last, _TICK)
    changed = hours.filter(_is_changed(hours, time_zone))
    found = []
    for after in changed.to_list():
        minutes = _ticks(after - _TICK, after, dt.timedelta(minutes=1))
        found += minutes.filter(_is_changed(minutes, time_zone)).to_list()
    return pl.Series("at", found, dtype=UTC_INSTANT)


def _ticks(first: dt.datetime, last: dt.datetime, step: dt.timedelta) -> pl.Series:
    whole = dt.datetime.combine(first.date(), dt.time(first.hour), tzinfo=dt.UTC)
    begin = whole if step == _TICK else first
    return pl.datetime_range(begin, last + step, step, time_unit="us", eager=True)


def _is_changed(ticks: pl.Series, time_zone: str) -> pl.Series:
    local = ticks.dt.convert_time_zone(time_zone)
    offset = local.dt.base_utc_offset() + local.dt.dst_offset()
    return (offset != offset.shift(1)).fill_null(value=False)


def _constant_offset(instants: pl.Series, time_zone: str) -> dt.timedelta | None:
    # Hourly ticks see every change: no zone leaves an offset and returns to it within an hour.
    bounds = instants.to_frame("at").select(
        first=pl.col("at").min().cast(UTC_INSTANT), last=pl.col("at").max().cast(UTC_INSTANT)
    )
    first, last = bounds.row(0)
    if first is None:
        return dt.timedelta(0)
    ticks = pl.datetime_range(first, last, _TICK, eager=True).append(bounds.get_column("last"))
    local = ticks.dt.convert_time_zone(time_zone)
    offsets = (local.dt.base_utc_offset() + local.dt.dst_offset()).unique()
    if offsets.len() > 1:
        return None
    offset = first.astimezone(ZoneInfo(time_zone)).utcoffset()
    return offset if offset is not None else dt.timedelta(0)
