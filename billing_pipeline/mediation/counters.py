"""Readings of counters that only grow, made to what was counted between two of them."""

import datetime as dt
from collections.abc import Mapping

import polars as pl

from billing_pipeline.mediation.reach import Reach
from billing_pipeline.vocabulary.money import QUANTITY

COUNTER = "counter"
BASELINE = "baseline"
"""The session part of a reading with none before it: nothing can be said of it yet."""

_SERIES = ["feed_key", "session_key"]
_MICROSECONDS = 1_000_000


def counted(
    records: pl.DataFrame,
    around: pl.DataFrame,
    day: dt.date,
    feed_reach: Mapping[str, Reach],
) -> pl.DataFrame:
    """The records with each counter's reading as the increase since the one before.

    A reading below the one before wrapped, if the feed says at what count it does; else, and
    where the feed says the counter began anew, it counts from zero. `around` has the readings
    of earlier days. Shape: row by row.
    """
    is_counter = (pl.col("session_mode") == COUNTER).fill_null(value=False)
    if not records.select(is_counter.any()).item():
        return records
    earlier = around.filter(is_counter, pl.col("started_at").dt.date() < day)
    readings = records.filter(is_counter)
    before = _readings_before(pl.concat([earlier, readings]))
    joined = readings.join(
        before, on=[*_SERIES, "started_at"], how="left", validate="m:1", maintain_order="left"
    ).join(_rules(feed_reach), on="feed_key", how="left", validate="m:1", maintain_order="left")
    is_first = pl.col("reading_before").is_null()
    used = joined.with_columns(
        quantity=pl.when(is_first).then(0).otherwise(_rate(_increase())).cast(QUANTITY),
        session_part=pl.when(is_first).then(pl.lit(BASELINE)).otherwise(pl.col("session_part")),
    )
    return pl.concat([records.filter(~is_counter), used.select(records.columns)])


def _readings_before(readings: pl.DataFrame) -> pl.DataFrame:
    """Per series and instant the reading before; of several at one instant the first counts."""
    distinct = readings.sort(*_SERIES, "started_at", "file_key", "record_number").unique(
        [*_SERIES, "started_at"], keep="first", maintain_order=True
    )
    return distinct.select(
        *_SERIES,
        "started_at",
        reading_before=pl.col("quantity").shift(1).over(_SERIES),
        read_before_at=pl.col("started_at").shift(1).over(_SERIES),
    )


def _rules(feed_reach: Mapping[str, Reach]) -> pl.DataFrame:
    reaches = feed_reach.values()
    return pl.DataFrame(
        [
            pl.Series("feed_key", list(feed_reach), pl.String),
            pl.Series("wraps_at", [reach.wraps_at for reach in reaches], QUANTITY),
            pl.Series("is_rate", [reach.is_rate for reach in reaches], pl.Boolean),
        ]
    )


def _increase() -> pl.Expr:
    reading, before = pl.col("quantity"), pl.col("reading_before")
    return (
        pl.when(pl.col("session_part") == "first")
        .then(reading)
        .when(reading >= before)
        .then(reading - before)
        .when(pl.col("wraps_at").is_not_null())
        .then(reading + pl.col("wraps_at") - before)
        .otherwise(reading)
    )


def _rate(increase: pl.Expr) -> pl.Expr:
    """The increase, or what it is per second of the time since the reading before."""
    elapsed = (pl.col("started_at") - pl.col("read_before_at")).dt.total_microseconds()
    seconds = elapsed.cast(QUANTITY) / pl.lit(_MICROSECONDS).cast(QUANTITY)
    return pl.when(pl.col("is_rate")).then(increase / seconds).otherwise(increase)
