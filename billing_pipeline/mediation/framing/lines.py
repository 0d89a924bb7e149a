"""Lines of any line-based framing, numbered and judged alike."""

from collections.abc import Iterator
from typing import IO

import polars as pl

from billing_pipeline.mediation.framing.blocks import (
    RAW_KEPT,
    REJECTS,
    decoded_lines,
    line_blocks,
)
from billing_pipeline.vocabulary.outcome import SuspenseReason

CONTROL_PATTERN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
BLANK = " \t\x1a"


def text_lines(
    stream: IO[bytes], encoding: str, fallback: str | None, max_record_bytes: int
) -> Iterator[pl.DataFrame]:
    """Blocks of lines that are not blank: line_number, line, flag, reason (text or null)."""
    lines_before = 0
    for block in line_blocks(stream, max_record_bytes, encoding):
        lines = decoded_lines(block.text, encoding, fallback)
        line = pl.col("line")
        reason = (
            pl.when(pl.col("reason").is_not_null())
            .then(pl.col("reason"))
            .when(pl.lit(block.is_overlong) | (line.str.len_bytes() > max_record_bytes))
            .then(pl.lit(SuspenseReason.FIELD_TOO_LONG.value))
            .when(line.str.contains(CONTROL_PATTERN))
            .then(pl.lit(SuspenseReason.CONTROL_CHARACTERS.value))
        )
        numbered = lines.with_columns(
            reason=reason, line_number=lines_before + 1 + pl.int_range(pl.len(), dtype=pl.Int64)
        )
        lines_before += 1 if block.is_overlong else block.text.count(b"\n")
        kept = numbered.filter(line.str.strip_chars(BLANK).str.len_bytes() > 0)
        if kept.height:
            yield kept


def rejects_of(bad: pl.DataFrame) -> pl.DataFrame:
    """REJECTS of lines with record_number, line_number, line, reason and detail (may be null)."""
    return bad.select(
        "record_number",
        "reason",
        detail=pl.concat_str(
            pl.format("line {}", "line_number"), "detail", separator=": ", ignore_nulls=True
        ),
        raw=pl.when(pl.col("reason") == SuspenseReason.FIELD_TOO_LONG.value)
        .then(pl.col("line").str.slice(0, RAW_KEPT))
        .otherwise(pl.col("line")),
    ).cast(REJECTS)
