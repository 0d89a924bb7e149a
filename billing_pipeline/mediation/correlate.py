"""Records that belong together: parts of one session, and reversals with what they take back."""

from collections.abc import Collection
from typing import NamedTuple

import polars as pl

from billing_pipeline.mediation.counters import BASELINE, COUNTER
from billing_pipeline.vocabulary.money import QUANTITY
from billing_pipeline.vocabulary.outcome import FilterReason, SuspenseReason

_SESSION = ["feed_key", "session_key"]
_ORDER = ["started_at", "file_key", "record_number"]
_MICROSECONDS = 1_000_000
_INCOMPLETE = SuspenseReason.INCOMPLETE_SESSION.value


class Correlated(NamedTuple):
    """Events to go on with; records to set aside and to suspend, each with its `reason`."""

    events: pl.DataFrame
    aside: pl.DataFrame
    suspended: pl.DataFrame


def without_reversed(records: pl.DataFrame) -> Correlated:
    """Take out reversals together with the usage they take back.

    Both are kept, set aside as `reversed`. A reversal whose usage has not come waits in suspense.
    """
    identity = ["feed_key", "identity"]
    takes_back = (pl.col("record_kind") == "reversal").fill_null(value=False)
    if not records.select(takes_back.any()).item():
        return Correlated(events=records, aside=_none(records), suspended=_none(records))
    judged = records.with_columns(
        is_reversal=takes_back,
        has_reversal=takes_back.any().over(identity),
        has_usage=(~takes_back).any().over(identity),
    )
    both = pl.col("has_reversal") & pl.col("has_usage")
    extra = ["is_reversal", "has_reversal", "has_usage"]
    return Correlated(
        events=judged.filter(~pl.col("has_reversal")).drop(extra),
        aside=judged.filter(both)
        .drop(extra)
        .with_columns(reason=pl.lit(FilterReason.REVERSED.value)),
        suspended=judged.filter(pl.col("has_reversal") & ~pl.col("has_usage"))
        .drop(extra)
        .with_columns(reason=pl.lit(SuspenseReason.REVERSAL_WITHOUT_ORIGINAL.value)),
    )


def assembled(records: pl.DataFrame, released: Collection[str] = ()) -> Correlated:
    """Make one event of the parts of each session.

    The event is the session's first record with the quantity of the whole: `delta` the sum,
    `cumulative` the greatest, `span` the seconds between first and last. The other parts are set
    aside as `assembled`; what is moved to the event leaves their quantity, so that the total
    stays the same. A session without its last part (for `delta` and `span` also: its first)
    waits in suspense, or, of a `released` feed, is an event flagged `incomplete_session`; a late
    part completes it when the day is computed again. Readings of counters are events by
    themselves, the first of each set aside.
    """
    if records["session_key"].null_count() == records.height:
        return Correlated(records, _none(records), _none(records))
    in_session = pl.col("session_key").is_not_null()
    is_counter = (pl.col("session_mode") == COUNTER).fill_null(value=False)
    single = records.filter(~in_session | (is_counter & (pl.col("session_part") != BASELINE)))
    first_readings = records.filter(
        in_session & is_counter & (pl.col("session_part") == BASELINE)
    ).with_columns(reason=pl.lit(FilterReason.FIRST_READING.value))
    parts = records.filter(in_session & ~is_counter).sort(*_SESSION, *_ORDER)
    if not parts.height:
        return Correlated(single, first_readings, _none(records))
    is_released = pl.col("feed_key").is_in(list(released))
    judged = parts.with_columns(
        is_whole=_is_whole() | is_released,
        flags=pl.when(is_released & ~_is_whole())
        .then(pl.concat_str("flags", pl.lit(_INCOMPLETE), separator=",", ignore_nulls=True))
        .otherwise(pl.col("flags")),
        is_head=pl.int_range(pl.len()).over(_SESSION) == 0,
        is_tail=pl.int_range(pl.len()).over(_SESSION) == pl.len().over(_SESSION) - 1,
        total=_total(),
    )
    # What the event does not carry stays on the session's last part.
    kept = pl.when(~pl.col("is_head")).then(pl.col("quantity")).otherwise(0).sum().over(_SESSION)
    rest = (pl.col("quantity").sum().over(_SESSION) - pl.col("total") - kept).cast(QUANTITY)
    moved = judged.with_columns(
        quantity=pl.when(pl.col("is_head"))
        .then(pl.col("total"))
        .when(pl.col("is_tail"))
        .then(pl.col("quantity") + rest)
        .otherwise(pl.col("quantity"))
        .cast(QUANTITY)
    )
    whole = moved.filter(pl.col("is_whole"))
    columns = records.columns
    return Correlated(
        events=pl.concat([single, whole.filter("is_head").select(columns)]),
        aside=pl.concat(
            [
                first_readings,
                whole.filter(~pl.col("is_head")).select(
                    *columns, reason=pl.lit(FilterReason.ASSEMBLED.value)
                ),
            ]
        ),
        suspended=judged.filter(~pl.col("is_whole")).select(
            *columns, reason=pl.lit(SuspenseReason.INCOMPLETE_SESSION.value)
        ),
    )


def _none(records: pl.DataFrame) -> pl.DataFrame:
    return records.clear().with_columns(reason=pl.lit(None, pl.String))


def _is_whole() -> pl.Expr:
    part = pl.col("session_part")
    has_first = (part == "first").any().over(_SESSION)
    has_last = (part == "last").any().over(_SESSION)
    return has_last & (has_first | (pl.col("session_mode") == "cumulative"))


def _total() -> pl.Expr:
    quantity, started = pl.col("quantity"), pl.col("started_at")
    elapsed = (started.max() - started.min()).over(_SESSION).dt.total_microseconds()
    seconds = elapsed.cast(QUANTITY) / pl.lit(_MICROSECONDS).cast(QUANTITY)
    mode = pl.col("session_mode")
    return (
        pl.when(mode == "delta")
        .then(quantity.sum().over(_SESSION))
        .when(mode == "cumulative")
        .then(quantity.max().over(_SESSION))
        .otherwise(seconds.cast(QUANTITY))
    )
