"""One block of records to usage events: every record accepted, filtered or in suspense."""

import datetime as dt
from typing import NamedTuple

import polars as pl

from billing_pipeline.catalog.feed_frames import DelimitedFrame
from billing_pipeline.mediation.fields import ReadFields, read_fields
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.odd_text import is_plain, odd_texts, to_look_up
from billing_pipeline.mediation.order_of_times import skewed
from billing_pipeline.mediation.plan import Plan
from billing_pipeline.mediation.schema import RAW_USAGE, SET_ASIDE, SUSPENSE
from billing_pipeline.mediation.validate import (
    FILTERED,
    SUSPENDED,
    Verdict,
    reversal_mask,
    verdicts,
)
from billing_pipeline.vocabulary.identifiers import natural_key
from billing_pipeline.vocabulary.outcome import Outcome, SuspenseReason

STAGE = "decode"

_NUMBER = "\0number"
_LOOKED_UP = to_look_up(pl.col("service_identifier"))
_COUNTED = ["kind", "reason", "quantity", "carried_amount"]


class Source(NamedTuple):
    """Which file a block is from: its content hash, and when it landed (None: not checked).

    A block of several files has a series of instants, one for each record of its columns.
    """

    file_key: str
    landed_at: dt.datetime | pl.Series | None


class Normalised(NamedTuple):
    """The outcome of a block; for totals of a trailer its control records and all it counts.

    `counted` has `kind`, `reason`, `quantity` and `carried_amount` of every record that could be
    cut; nothing without a trailer.
    """

    outcome: Outcome
    control: pl.DataFrame
    counted: pl.DataFrame


def normalise(plan: Plan, block: FramedBlock, source: Source) -> Normalised:
    """Read fields, build events, judge them; conservation holds by construction."""
    read = read_fields(plan.feed, block)
    events = _events(plan, block, read, source)
    judged = verdicts(plan, read, events, source.landed_at)
    rejected = _rejected(plan, block, source)
    if not judged:
        accepted = _accepted(plan, events, source)
        outcome = _outcome(accepted, rejected, SET_ASIDE.empty())
        return Normalised(outcome, pl.DataFrame(), pl.DataFrame())
    marked = events.with_columns(_combined(judged, read))
    is_good = marked["reason"].is_null()
    bad = marked.filter(marked["kind"] == SUSPENDED)
    suspended = pl.concat([_suspended(plan, block, bad, source), rejected])
    filtered = _filtered(plan, marked.filter(marked["kind"] == FILTERED), source)
    accepted = _accepted(plan, marked.filter(is_good), source)
    control = read.values.filter(marked["reason"] == "control_record")
    outcome = _outcome(accepted, suspended.sort("record_number"), filtered)
    return Normalised(outcome, control, marked.select(_COUNTED) if plan.trailer else marked.clear())


def _outcome(accepted: pl.DataFrame, suspended: pl.DataFrame, filtered: pl.DataFrame) -> Outcome:
    return Outcome(
        accepted=RAW_USAGE.conform(accepted),
        suspended=SUSPENSE.conform(suspended),
        duplicates=SET_ASIDE.empty(),
        filtered=SET_ASIDE.conform(filtered),
    )


def _events(plan: Plan, block: FramedBlock, read: ReadFields, source: Source) -> pl.DataFrame:
    feed = plan.feed
    records = read.values.height
    # A constant alone would give one row: broadcast over the record numbers.
    events = read.values.with_columns(block.numbers.alias(_NUMBER)).select(
        pl.col(_NUMBER).alias("record_number"),
        *(expr.alias(name) for name, expr in plan.event.items()),
    )
    identity = (
        read.texts.select(natural_key(*map(pl.col, feed.identity))).to_series()
        if feed.identity
        else block.raw()
    )
    remarks = [
        _off_time(plan, events, source),
        skewed(plan.feed.checks, read),
        odd_texts([events["service_identifier"], *_numbers_as_given(plan, read)]),
        _drift(plan, block, records),
    ]
    known = events if is_plain(events["service_identifier"]) else events.with_columns(_LOOKED_UP)
    return known.with_columns(
        identity.alias("identity"),
        _flags(block, read, remarks).alias("flags"),
        _record_kind(plan, read).alias("record_kind"),
    )


def _numbers_as_given(plan: Plan, read: ReadFields) -> list[pl.Series]:
    return [read.texts[name] for name, spec in plan.feed.fields.items() if spec.type == "phone"]


def _off_time(plan: Plan, events: pl.DataFrame, source: Source) -> pl.Series | None:
    """A remark on what began long before its file landed, or only afterwards."""
    if source.landed_at is None:
        return None
    limit = source.landed_at - dt.timedelta(days=plan.feed.checks.late_after_days)
    late, ahead = events["started_at"] < limit, events["started_at"] > source.landed_at
    if not (late.any() or ahead.any()):
        return None
    remark = pl.when(late).then(pl.lit("late")).when(ahead).then(pl.lit("ahead_of_landing"))
    return pl.select(remark).to_series()


def _record_kind(plan: Plan, read: ReadFields) -> pl.Series:
    is_reversal = reversal_mask(plan, read)
    return pl.select(pl.when(is_reversal).then(pl.lit("reversal"))).to_series()


def _drift(plan: Plan, block: FramedBlock, records: int) -> pl.Series | None:
    """A remark on every record of a file with columns its feed does not know."""
    frame = plan.feed.frame
    known = frame.known_columns if isinstance(frame, DelimitedFrame) else []
    is_new = bool(known) and not set(block.names) <= set(known)
    return pl.repeat("new_column", records, eager=True) if is_new else None


def _flags(block: FramedBlock, read: ReadFields, more: list[pl.Series | None]) -> pl.Series:
    given = [column for column in (block.flags, *read.flags, *more) if column is not None]
    if not given:
        return pl.repeat(None, read.values.height, dtype=pl.String, eager=True)
    frame = pl.DataFrame([column.alias(str(at)) for at, column in enumerate(given)])
    joined = pl.concat_str(pl.all(), separator=",", ignore_nulls=True)
    return frame.select(pl.when(joined.str.len_bytes() > 0).then(joined)).to_series()


def _combined(judged: list[Verdict], read: ReadFields) -> list[pl.Series]:
    """`kind`, `reason` and `detail` of every record: the first verdict that fits it."""
    frame = pl.DataFrame(
        [verdict.mask.fill_null(value=False).alias(str(at)) for at, verdict in enumerate(judged)]
    )
    texts = read.texts.select(pl.all().name.prefix("\0"))
    frame = pl.concat([frame, texts], how="horizontal")
    chosen = [
        pl.coalesce(
            pl.when(pl.col(str(at))).then(pl.lit(getattr(verdict, name)))
            for at, verdict in enumerate(judged)
        ).alias(name)
        for name in ("kind", "reason")
    ]
    details = pl.coalesce(
        pl.when(pl.col(str(at))).then(_detail(verdict)) for at, verdict in enumerate(judged)
    ).alias("detail")
    return frame.select(*chosen, details).get_columns()


def _detail(verdict: Verdict) -> pl.Expr:
    if verdict.field is None:
        return pl.lit(verdict.remark, pl.String)
    value = pl.col(f"\0{verdict.field}").str.slice(0, 200).fill_null("")
    return pl.format("{}: {}", pl.lit(verdict.field), value)


def _accepted(plan: Plan, events: pl.DataFrame, source: Source) -> pl.DataFrame:
    return events.with_columns(feed_key=pl.lit(plan.feed.key), file_key=pl.lit(source.file_key))


def _suspended(plan: Plan, block: FramedBlock, bad: pl.DataFrame, source: Source) -> pl.DataFrame:
    if not bad.height:
        return SUSPENSE.empty()
    raw = pl.DataFrame({"record_number": block.numbers, "raw": block.raw()})
    return bad.join(
        raw, on="record_number", how="left", validate="1:1", maintain_order="left"
    ).select(
        pl.lit(None, pl.String).alias("tenant_key"),
        pl.lit(plan.feed.key).alias("feed_key"),
        pl.lit(source.file_key).alias("file_key"),
        "record_number",
        pl.lit(STAGE).alias("stage"),
        "reason",
        "detail",
        "raw",
        "service_identifier",
        "started_at",
        "quantity",
    )


def _rejected(plan: Plan, block: FramedBlock, source: Source) -> pl.DataFrame:
    return block.rejects.select(
        pl.lit(None, pl.String).alias("tenant_key"),
        pl.lit(plan.feed.key).alias("feed_key"),
        pl.lit(source.file_key).alias("file_key"),
        "record_number",
        pl.lit(STAGE).alias("stage"),
        "reason",
        "detail",
        "raw",
        *(
            pl.lit(None, SUSPENSE.columns[name].dtype).alias(name)
            for name in ("service_identifier", "started_at", "quantity")
        ),
    )


def _filtered(plan: Plan, aside: pl.DataFrame, source: Source) -> pl.DataFrame:
    return aside.select(
        pl.lit(None, pl.String).alias("tenant_key"),
        pl.lit(plan.feed.key).alias("feed_key"),
        pl.lit(source.file_key).alias("file_key"),
        "record_number",
        pl.lit(STAGE).alias("stage"),
        "reason",
        "started_at",
        "quantity",
    )


STRUCTURAL = frozenset(
    reason.value
    for reason in (
        SuspenseReason.COLUMN_COUNT,
        SuspenseReason.INVALID_ENCODING,
        SuspenseReason.INVALID_SYNTAX,
        SuspenseReason.CONTROL_CHARACTERS,
        SuspenseReason.FIELD_TOO_LONG,
        SuspenseReason.UNKNOWN_RECORD_TYPE,
        SuspenseReason.INVALID_TIME,
        SuspenseReason.INVALID_QUANTITY,
        SuspenseReason.MISSING_REQUIRED,
    )
)
"""Reasons that, in most records of a file, say that the file is not of this feed."""
