"""Which usage day a record belongs to, where days are not enough to themselves.

The parts of a session belong to the day of its first part, a reversal to the day of what it takes
back, and a counter's reading needs the one before it. Every record belongs to exactly one day,
found from the records at most a declared number of days away; so a day stays a pure function of
the files, whatever the order in which they came.
"""

import datetime as dt
from collections.abc import Mapping

import polars as pl

from billing_pipeline.mediation.counters import COUNTER, counted
from billing_pipeline.mediation.reach import Reach

_ONE_DAY = dt.timedelta(days=1)
_FAR = ("feed_key", "file_key", "record_number")
_USAGE_DAY = pl.col("started_at").dt.date()
_TAKES_BACK = (pl.col("record_kind") == "reversal").fill_null(value=False)


def reopened_days(accepted: pl.DataFrame, reach: Reach) -> set[dt.date]:
    """Days other than their own that records of a feed may change. `accepted` is RAW_USAGE."""
    if not reach.days:
        return set()
    in_session = accepted.filter(pl.col("session_key").is_not_null())
    spans = (
        (in_session, reach.session_days, reach.session_days),
        (accepted.filter(_TAKES_BACK), reach.reversal_days, 0),
        (accepted.filter(~_TAKES_BACK), 0, reach.reversal_days),
    )
    return {
        day + offset * _ONE_DAY
        for rows, before, after in spans
        for day in rows.select(_USAGE_DAY).unique().to_series().to_list()
        for offset in range(-before, after + 1)
        if offset
    }


def concerned_rows(feed_reach: Mapping[str, Reach]) -> pl.Expr:
    """Which rows of neighbouring days can matter: those of feeds that reach as far as any."""
    with_reversals = [key for key, reach in feed_reach.items() if reach.reversal_days]
    return (pl.col("feed_key").is_in(list(feed_reach)) & pl.col("session_key").is_not_null()) | (
        pl.col("feed_key").is_in(with_reversals)
    )


def records_of_day(
    own: pl.DataFrame, around: pl.DataFrame, day: dt.date, feed_reach: Mapping[str, Reach]
) -> pl.DataFrame:
    """The RAW_USAGE that belongs to a usage day.

    `own` is what began on the day, `around` the rows of `concerned_rows` of the days within
    reach. Readings of counters become what was counted since the reading before.
    """
    if not feed_reach:
        return own
    far = pl.concat([own, around]).filter(pl.col("feed_key").is_in(list(feed_reach)))
    moving = pl.concat([_session_homes(far, feed_reach), _reversal_homes(far, feed_reach)])
    homes = moving.filter(pl.col("home") != pl.col("day"))
    gone = homes.filter(pl.col("day") == day)
    come = homes.filter(pl.col("home") == day)
    staying = own.join(gone, on=_FAR, how="anti", maintain_order="left")
    coming = around.join(come, on=_FAR, how="semi", maintain_order="left")
    return counted(pl.concat([staying, coming]), around, day, feed_reach)


def _limits(feed_reach: Mapping[str, Reach], name: str) -> pl.DataFrame:
    rows = [(key, getattr(reach, name)) for key, reach in feed_reach.items()]
    return pl.DataFrame(rows, schema={"feed_key": pl.String, "limit": pl.Int64}, orient="row")


def _session_homes(far: pl.DataFrame, feed_reach: Mapping[str, Reach]) -> pl.DataFrame:
    """`day` and `home` of parts: the first day of their session within reach before them."""
    session = ["feed_key", "session_key"]
    parts = far.filter(
        pl.col("session_key").is_not_null(),
        pl.col("session_mode") != COUNTER,
        ~_TAKES_BACK,
    ).select(*_FAR, "session_key", day=_USAGE_DAY)
    days = parts.select(*session, "day").unique()
    homes = (
        days.join(days, on=session, suffix="_other")
        .join(_limits(feed_reach, "session_days"), on="feed_key", how="left", validate="m:1")
        .filter(_is_within(pl.col("day_other"), pl.col("day")))
        .group_by(*session, "day")
        .agg(home=pl.col("day_other").min())
    )
    return parts.join(homes, on=[*session, "day"], how="left", validate="m:1").select(
        *_FAR, "day", "home"
    )


def _reversal_homes(far: pl.DataFrame, feed_reach: Mapping[str, Reach]) -> pl.DataFrame:
    """`day` and `home` of reversals: the last day of their identity's usage; else their own."""
    identity = ["feed_key", "identity"]
    reversals = far.filter(_TAKES_BACK).select(*_FAR, "identity", day=_USAGE_DAY)
    usage = far.filter(~_TAKES_BACK).select(*identity, day_other=_USAGE_DAY).unique()
    homes = (
        reversals.select(*identity, "day")
        .unique()
        .join(usage, on=identity)
        .join(_limits(feed_reach, "reversal_days"), on="feed_key", how="left", validate="m:1")
        .filter(_is_within(pl.col("day_other"), pl.col("day")))
        .group_by(*identity, "day")
        .agg(home=pl.col("day_other").max())
    )
    return reversals.join(homes, on=[*identity, "day"], how="left", validate="m:1").select(
        *_FAR, "day", pl.coalesce("home", "day").alias("home")
    )


def _is_within(other: pl.Expr, day: pl.Expr) -> pl.Expr:
    return (other <= day) & ((day - other).dt.total_days() <= pl.col("limit"))
