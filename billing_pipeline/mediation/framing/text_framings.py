"""Line-based framings beside the delimited one: fixed width, log lines, paragraphs."""

from collections.abc import Iterator
from typing import IO

import polars as pl

from billing_pipeline.catalog.feed_frames import (
    FixedLayout,
    FixedWidthFrame,
    LogLinesFrame,
    ParagraphsFrame,
)
from billing_pipeline.mediation.framing.blocks import FramedBlock, decoded_lines, line_blocks
from billing_pipeline.mediation.framing.lines import rejects_of, text_lines
from billing_pipeline.mediation.framing.rows import Row, row_blocks
from billing_pipeline.vocabulary.outcome import SuspenseReason

_NO_TEXT = pl.lit(None, pl.String)


def fixed_width_blocks(frame: FixedWidthFrame, stream: IO[bytes]) -> Iterator[FramedBlock]:
    """Lines cut at fixed positions by the first layout that fits them.

    A line that no layout fits is `unknown_record_type`, one that ends before its last column
    begins is `column_count`.
    """
    names = list(dict.fromkeys(c.name for layout in frame.layouts for c in layout.columns))
    line, layout = pl.col("line"), pl.col("layout")
    chosen = pl.coalesce(pl.when(_fits(line, one)).then(at) for at, one in enumerate(frame.layouts))
    least = {at: max(c.start for c in one.columns) for at, one in enumerate(frame.layouts)}
    reason = (
        pl.when(layout.is_null())
        .then(pl.lit(SuspenseReason.UNKNOWN_RECORD_TYPE.value))
        .when(line.str.len_chars().cast(pl.Int64) < layout.replace_strict(least, default=None))
        .then(pl.lit(SuspenseReason.COLUMN_COUNT.value))
    )
    cut = [
        pl.coalesce(
            pl.when(layout == at).then(line.str.slice(c.start - 1, c.length))
            for at, one in enumerate(frame.layouts)
            for c in one.columns
            if c.name == name
        ).alias(name)
        for name in names
    ]
    lines = text_lines(stream, frame.encoding, frame.fallback_encoding, frame.max_record_bytes)
    skipped = (
        block.filter(pl.col("line_number") > frame.skip_lines).with_columns(
            layout=chosen.cast(pl.Int64)
        )
        for block in lines
    )
    return _line_blocks(skipped, reason, cut, names)


def _fits(line: pl.Expr, layout: FixedLayout) -> pl.Expr:
    fits = line.str.starts_with(layout.prefix)
    return fits if layout.length is None else fits & (line.str.len_chars() == layout.length)


def log_line_blocks(frame: LogLinesFrame, stream: IO[bytes]) -> Iterator[FramedBlock]:
    """Lines whose named groups are columns; a line that fits no pattern is `invalid_syntax`."""
    schema = pl.select(_NO_TEXT.str.extract_groups(frame.pattern)).to_series().dtype
    names = [field.name for field in schema.fields] if isinstance(schema, pl.Struct) else []
    line = pl.col("line")
    reason = pl.when(~line.str.contains(frame.pattern)).then(
        pl.lit(SuspenseReason.INVALID_SYNTAX.value)
    )
    groups = line.str.extract_groups(frame.pattern).struct
    is_control = pl.any_horizontal(
        pl.lit(value=False), *(line.str.contains(pattern) for pattern in frame.control)
    )
    lines = text_lines(stream, frame.encoding, frame.fallback_encoding, frame.max_record_bytes)
    usage = (block.filter(~is_control | pl.col("reason").is_not_null()) for block in lines)
    return _line_blocks(usage, reason, [groups.field(name) for name in names], names)


def _line_blocks(
    blocks: Iterator[pl.DataFrame], reason: pl.Expr, columns: list[pl.Expr], names: list[str]
) -> Iterator[FramedBlock]:
    records = 0
    for lines in blocks:
        if not lines.height:
            continue
        judged = lines.with_columns(
            reason=pl.coalesce("reason", reason),
            record_number=records + 1 + pl.int_range(pl.len(), dtype=pl.Int64),
            detail=_NO_TEXT,
        )
        records += lines.height
        yield _judged_block(judged, columns, names)


def _judged_block(judged: pl.DataFrame, columns: list[pl.Expr], names: list[str]) -> FramedBlock:
    good = judged.filter(pl.col("reason").is_null())
    return FramedBlock(
        columns=good.select(columns),
        names=names,
        numbers=good["record_number"],
        raw=lambda: good["line"],
        rejects=rejects_of(judged.filter(pl.col("reason").is_not_null())),
        flags=good["flag"] if good["flag"].null_count() < good.height else None,
    )


def paragraph_blocks(
    frame: ParagraphsFrame, stream: IO[bytes], wanted: list[str]
) -> Iterator[FramedBlock]:
    """Records divided by blank lines, one assignment a line; the first of equal names counts."""
    return row_blocks(
        (_paragraph_row(lines, frame, wanted) for lines in _paragraphs(frame, stream)), wanted
    )


def _paragraphs(
    frame: ParagraphsFrame, stream: IO[bytes]
) -> Iterator[list[tuple[str, str | None]]]:
    """Lines of each paragraph with what was wrong in decoding them."""
    open_lines: list[tuple[str, str | None]] = []
    size = 0
    for block in line_blocks(stream, frame.max_record_bytes, frame.encoding):
        if not block.text:
            continue
        # The end of the last line is no blank line.
        text = block.text.removesuffix(b"\n")
        decoded = decoded_lines(text, frame.encoding, frame.fallback_encoding)
        for line, reason in zip(decoded["line"], decoded["reason"], strict=True):
            if line.strip():
                size += len(line)
                is_too_long = block.is_overlong or size > frame.max_record_bytes
                fault = SuspenseReason.FIELD_TOO_LONG.value if is_too_long else reason
                open_lines = (
                    [*open_lines[-1:], (line, fault)]
                    if is_too_long
                    else [*open_lines, (line, fault)]
                )
            elif open_lines:
                yield open_lines
                open_lines, size = [], 0
    if open_lines:
        yield open_lines


def _paragraph_row(
    lines: list[tuple[str, str | None]], frame: ParagraphsFrame, wanted: list[str]
) -> Row:
    raw = "\n".join(line for line, _ in lines)
    nothing = (None,) * len(wanted)
    fault = next((reason for _, reason in lines if reason is not None), None)
    if fault is not None:
        return Row(nothing, raw, fault)
    if "\0" in raw:
        return Row(nothing, raw, SuspenseReason.CONTROL_CHARACTERS.value)
    values: dict[str, str] = {}
    for line, _ in lines:
        name, assignment, value = line.partition(frame.assignment)
        if assignment:
            values.setdefault(name.strip(), _unquoted(value.strip()))
        elif line[:1].isspace() or frame.heading in values or values:
            detail = f"{line.strip()[:80]!r} is no assignment"
            return Row(nothing, raw, SuspenseReason.INVALID_SYNTAX.value, detail)
        else:
            values[frame.heading] = line.strip()
    if not values.keys() - {frame.heading}:
        return Row(nothing, raw, SuspenseReason.INVALID_SYNTAX.value, "no assignment at all")
    return Row(tuple(values.get(place) for place in wanted), raw)


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] == '"'
    text = value[1:-1].replace('\\"', '"') if is_quoted else value
    return text.removeprefix("::")
