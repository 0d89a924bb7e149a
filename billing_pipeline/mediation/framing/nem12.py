"""AEMO meter data (NEM12 intervals, NEM13 accumulated reads): one record per value.

Source: AEMO, Meter Data File Format Specification NEM12 and NEM13. Lines 100, 200, 400, 500, 550
and 900 give context and are no records; a 300 line is as many records as the day has intervals.
"""

from collections.abc import Iterator
from typing import IO

import polars as pl

from billing_pipeline.catalog.feed_frames import Nem12Frame
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.framing.lines import rejects_of, text_lines
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason
from billing_pipeline.vocabulary.outcome import SuspenseReason

_KINDS = ["100", "200", "250", "300", "400", "500", "550", "900"]
_STREAM = {
    "nmi": 1,
    "configuration": 2,
    "register": 3,
    "suffix": 4,
    "serial": 6,
    "unit": 7,
    "interval_minutes": 8,
}
_READ = {
    "nmi": 1,
    "configuration": 2,
    "register": 3,
    "suffix": 4,
    "serial": 6,
    "previous_value": 8,
    "previous_at": 9,
    "current_value": 13,
    "current_at": 14,
    "quality": 15,
    "reason_code": 16,
    "value": 18,
    "unit": 19,
    "updated_at": 21,
    "started_at": 9,
}
_MINUTES_A_DAY = 1440
_INTERVALS = ["5", "15", "30"]
_AFTER_VALUES = (1, 5)  # quality, reason code, reason, update time, MSATS load time


def nem12_blocks(frame: Nem12Frame, stream: IO[bytes]) -> Iterator[FramedBlock]:
    """Records of a NEM12 or NEM13 file.

    Raises: FileRefused without the 100 header line or the 900 end line.
    """
    records, kinds = 0, ("", "")
    held = pl.DataFrame()
    for lines in text_lines(
        stream, frame.encoding, frame.fallback_encoding, frame.max_record_bytes
    ):
        split = lines.with_columns(
            parts=pl.col("line").str.split(",").list.eval(pl.element().str.strip_chars())
        ).with_columns(kind=pl.col("parts").list.first())
        kinds = (kinds[0] or str(split["kind"][0]), str(split["kind"][-1]))
        if kinds[0] != "100":
            raise FileRefused(QuarantineReason.MISSING_HEADER, "the file has no 100 header line")
        block = split if held.is_empty() else pl.concat([held, split])
        done, held = _at_last_stream(block)
        framed = _block(done, records)
        records += framed.records
        if framed.records:
            yield framed
    rest = _block(held, records) if held.height else None
    if rest is not None and rest.records:
        yield rest
    if kinds[0] and kinds[1] != "900":
        raise FileRefused(QuarantineReason.MISSING_TRAILER, "the file has no 900 end line")


def _at_last_stream(block: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cut before the last 200 line, so that what belongs together stays together."""
    at = block.with_row_index("at").filter(pl.col("kind") == "200")["at"].max()
    cut = int(at) if isinstance(at, int) else block.height
    return block.head(cut), block.slice(cut)


def _block(block: pl.DataFrame, records: int) -> FramedBlock:
    judged = _judged(block)
    values = pl.concat([_intervals(judged), _reads(judged), _bad(judged)], how="diagonal").sort(
        "line_number", "interval_number", nulls_last=False
    )
    numbered = values.with_columns(
        record_number=records + 1 + pl.int_range(pl.len(), dtype=pl.Int64)
    )
    good = numbered.filter(pl.col("reason").is_null())
    flags = good["flag"]
    columns = good.drop("line", "line_number", "record_number", "reason", "detail", "flag")
    return FramedBlock(
        columns=columns.select(pl.all().cast(pl.String)),
        names=columns.columns,
        numbers=good["record_number"],
        raw=lambda: good["line"],
        rejects=rejects_of(numbered.filter(pl.col("reason").is_not_null())),
        flags=flags if flags.null_count() < flags.len() else None,
    )


def _judged(block: pl.DataFrame) -> pl.DataFrame:
    """Lines with the 200 line above them, the day line they belong to, and what is wrong."""
    above = block.with_columns(
        stream=pl.when(pl.col("kind") == "200").then("parts").forward_fill(),
        day=pl.when(pl.col("kind").is_in(["300", "250"])).then("line_number").forward_fill(),
    ).with_columns(minutes=pl.col("stream").list.get(_STREAM["interval_minutes"], null_on_oob=True))
    length = pl.col("minutes").cast(pl.Int64, strict=False)
    above = above.with_columns(
        intervals=pl.when(pl.col("minutes").is_in(_INTERVALS)).then(_MINUTES_A_DAY // length)
    )
    width = pl.col("parts").list.len().cast(pl.Int64)
    expected = 2 + pl.col("intervals")
    is_day = pl.col("kind") == "300"
    return above.with_columns(
        reason=pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(~pl.col("kind").is_in(_KINDS))
        .then(pl.lit(SuspenseReason.UNKNOWN_RECORD_TYPE.value))
        .when(is_day & pl.col("intervals").is_null())
        .then(pl.lit(SuspenseReason.INVALID_SYNTAX.value))
        .when(is_day & ~width.is_between(expected + _AFTER_VALUES[0], expected + _AFTER_VALUES[1]))
        .then(pl.lit(SuspenseReason.COLUMN_COUNT.value))
        .when((pl.col("kind") == "250") & (width < _READ["updated_at"]))
        .then(pl.lit(SuspenseReason.COLUMN_COUNT.value)),
        detail=pl.when(is_day & pl.col("intervals").is_null())
        .then(pl.lit("no 200 line with an interval of 5, 15 or 30 minutes stands above"))
        .when(is_day)
        .then(pl.format("{} columns for {} intervals", width, pl.col("intervals"))),
    )


def _bad(judged: pl.DataFrame) -> pl.DataFrame:
    return judged.filter(pl.col("reason").is_not_null()).select(
        "line",
        "line_number",
        "flag",
        "reason",
        "detail",
        interval_number=pl.lit(None, pl.Int64),
    )


def _intervals(judged: pl.DataFrame) -> pl.DataFrame:
    days = judged.filter(pl.col("kind") == "300", pl.col("reason").is_null())
    part = pl.col("parts").list
    after = pl.col("intervals") + 2
    wide = days.select(
        "line",
        "line_number",
        "flag",
        "reason",
        "detail",
        "minutes",
        pl.lit("300").alias("record"),
        *(
            pl.col("stream").list.get(at, null_on_oob=True).alias(name)
            for name, at in _STREAM.items()
        ),
        interval_date=part.get(1),
        value=part.slice(2, pl.col("intervals")),
        interval_number=pl.int_ranges(1, pl.col("intervals") + 1, dtype=pl.Int64),
        quality=part.get(after, null_on_oob=True),
        reason_code=part.get(after + 1, null_on_oob=True),
        updated_at=part.get(after + 3, null_on_oob=True),
    ).explode("value", "interval_number")
    midnight = pl.col("interval_date").str.to_datetime("%Y%m%d", strict=False, time_unit="us")
    passed = (pl.col("interval_number") - 1) * pl.col("minutes").cast(pl.Int64, strict=False)
    started = (midnight + pl.duration(minutes=passed)).dt.strftime("%Y%m%d%H%M%S")
    return (
        _with_ranged_quality(wide, judged)
        .with_columns(started_at=pl.coalesce(started, "interval_date"))
        .drop("minutes")
    )


def _with_ranged_quality(wide: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """Quality and reason of 400 lines for the intervals they name."""
    part = pl.col("parts").list
    ranges = (
        judged.filter(pl.col("kind") == "400", pl.col("reason").is_null())
        .select(
            line_number="day",
            first=part.get(1, null_on_oob=True).cast(pl.Int64, strict=False),
            last=part.get(2, null_on_oob=True).cast(pl.Int64, strict=False),
            ranged_quality=part.get(3, null_on_oob=True),
            ranged_reason=part.get(4, null_on_oob=True),
        )
        .filter(
            pl.col("line_number").is_not_null(),
            pl.col("first").is_between(1, pl.col("last")),
            pl.col("last") <= _MINUTES_A_DAY // 5,
        )
        .with_columns(interval_number=pl.int_ranges("first", pl.col("last") + 1, dtype=pl.Int64))
        .explode("interval_number")
        .unique(["line_number", "interval_number"], keep="last", maintain_order=True)
    )
    return wide.join(
        ranges.drop("first", "last"),
        on=["line_number", "interval_number"],
        how="left",
        validate="m:1",
        maintain_order="left",
    ).select(
        pl.exclude("quality", "reason_code", "ranged_quality", "ranged_reason"),
        quality=pl.coalesce("ranged_quality", "quality"),
        reason_code=pl.coalesce("ranged_reason", "reason_code"),
    )


def _reads(judged: pl.DataFrame) -> pl.DataFrame:
    reads = judged.filter(pl.col("kind") == "250", pl.col("reason").is_null())
    return reads.select(
        "line",
        "line_number",
        "flag",
        "reason",
        "detail",
        pl.lit("250").alias("record"),
        *(pl.col("parts").list.get(at, null_on_oob=True).alias(name) for name, at in _READ.items()),
        interval_number=pl.lit(None, pl.Int64),
    )
