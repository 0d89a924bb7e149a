"""Lines of a delimited file that is not regular: judged one by one, still vectorised."""

import csv
import io
import re

import polars as pl

from billing_pipeline.catalog.feed_frames import DelimitedFrame
from billing_pipeline.mediation.framing.blocks import RAW_KEPT, REJECTS, FramedBlock
from billing_pipeline.mediation.framing.lines import BLANK, CONTROL_PATTERN
from billing_pipeline.mediation.framing.quoting import Mending
from billing_pipeline.vocabulary.outcome import SuspenseReason


def judged_lines(
    lines: pl.DataFrame, frame: DelimitedFrame, widths: frozenset[int]
) -> pl.DataFrame:
    """Lines with their index and `width`: number of columns, 0 if odd, null if no record."""
    line = pl.col("line")
    frame_of_lines = lines.with_columns(index=pl.int_range(pl.len(), dtype=pl.Int64))
    is_text = line.str.strip_chars(BLANK).str.len_bytes() > 0
    if frame.comment_prefix is not None:
        is_text &= ~line.str.starts_with(frame.comment_prefix)
    reason = (
        pl.when(pl.col("reason").is_not_null())
        .then(pl.col("reason"))
        .when(line.str.len_bytes() > frame.max_record_bytes)
        .then(pl.lit(SuspenseReason.FIELD_TOO_LONG.value))
        .when(line.str.contains(CONTROL_PATTERN) & is_text)
        .then(pl.lit(SuspenseReason.CONTROL_CHARACTERS.value))
    )
    judged = frame_of_lines.with_columns(reason=reason, is_text=is_text)
    special = [
        mark for mark in (frame.quote, "\\" if frame.escape == "backslash" else None) if mark
    ]
    is_plain = pl.lit(value=True)
    for mark in special:
        is_plain &= ~line.str.contains(mark, literal=True)
    width = pl.when(is_plain).then(
        line.str.count_matches(frame.delimiter, literal=True).cast(pl.Int64) + 1
    )
    judged = judged.with_columns(width=width)
    if frame.quote is not None and frame.escape == "double" and judged["width"].null_count():
        judged = _with_quoted_widths(judged, frame, widths)
    allowed = pl.col("width").is_in(list(widths))
    judged = _without_trailing_delimiter(judged, frame, widths)
    counted = pl.when(allowed).then(pl.col("width")).otherwise(0)
    return judged.with_columns(
        width=pl.when(pl.col("reason").is_null() & pl.col("is_text")).then(counted)
    )


def _with_quoted_widths(
    judged: pl.DataFrame, frame: DelimitedFrame, widths: frozenset[int]
) -> pl.DataFrame:
    d, q = re.escape(frame.delimiter), re.escape(frame.quote or "")
    cell = f"(?:{q}(?:[^{q}]|{q}{q})*{q}|[^{q}{d}]*)"
    width = pl.coalesce(
        pl.when(pl.col("line").str.contains(f"^{cell}(?:{d}{cell}){{{count - 1}}}$")).then(count)
        for count in sorted(widths, reverse=True)
    )
    quoted = judged.filter(pl.col("width").is_null()).select("index", quoted=width.cast(pl.Int64))
    return judged.join(quoted, on="index", how="left", validate="1:1").select(
        pl.exclude("quoted", "width"), width=pl.coalesce("width", "quoted", pl.lit(0))
    )


def _without_trailing_delimiter(
    judged: pl.DataFrame, frame: DelimitedFrame, widths: frozenset[int]
) -> pl.DataFrame:
    if frame.trailing_delimiter == "refuse":
        return judged
    trailing = (
        pl.col("line").str.ends_with(frame.delimiter)
        & (pl.col("width") - 1).is_in(list(widths))
        & ~pl.col("width").is_in(list(widths))
    )
    return judged.with_columns(
        line=pl.when(trailing)
        .then(pl.col("line").str.strip_suffix(frame.delimiter))
        .otherwise(pl.col("line")),
        width=pl.when(trailing).then(pl.col("width") - 1).otherwise(pl.col("width")),
    )


def record_starts(judged: pl.DataFrame, mending: Mending, records: int) -> pl.DataFrame:
    """One row per record, good or bad, in file order, numbered.

    Columns: index, record_number, line (text as it stood), csv (mended text or null), width,
    reason, detail, flag.
    """
    taken = [at for item in mending.mended for at in range(item.first, item.until)]
    odd = pl.DataFrame(
        [
            *((m.first, m.until, m.text, m.width, None, None, m.flag) for m in mending.mended),
            *(
                (r.first, r.first + 1, None, None, r.reason.value, r.detail, None)
                for r in mending.rejected
            ),
        ],
        schema={
            "index": pl.Int64,
            "until": pl.Int64,
            "csv": pl.String,
            "odd_width": pl.Int64,
            "odd_reason": pl.String,
            "detail": pl.String,
            "odd_flag": pl.String,
        },
        orient="row",
    )
    whole = ["\n".join(judged["line"].slice(m.first, m.until - m.first)) for m in mending.mended]
    texts = pl.DataFrame(
        {"index": [m.first for m in mending.mended], "whole": whole},
        schema={"index": pl.Int64, "whole": pl.String},
    )
    inside = pl.Series(taken, dtype=pl.Int64)
    heads = odd["index"]
    kept = judged.filter(
        pl.col("is_text") | pl.col("index").is_in(heads.implode()),
        ~pl.col("index").is_in(inside.implode()) | pl.col("index").is_in(heads.implode()),
    )
    joined = kept.join(odd, on="index", how="left", validate="1:1", maintain_order="left").join(
        texts, on="index", how="left", validate="1:1", maintain_order="left"
    )
    return joined.select(
        "index",
        "csv",
        "detail",
        record_number=records + 1 + pl.int_range(pl.len(), dtype=pl.Int64),
        line=pl.coalesce("whole", "line"),
        width=pl.coalesce("odd_width", "width"),
        # A mended record may span lines that were rejected for themselves.
        reason=pl.when(pl.col("csv").is_null()).then(pl.coalesce("reason", "odd_reason")),
        flag=pl.coalesce("odd_flag", "flag"),
    )


def careful_block(
    frame: DelimitedFrame, columns: list[str], starts: pl.DataFrame, line_offset: int
) -> FramedBlock:
    """The block of all records of `starts`: good ones parsed, bad ones with their reason."""
    bad = starts.filter(pl.col("reason").is_not_null())
    rejects = bad.select(
        "record_number",
        "reason",
        detail=pl.concat_str(
            pl.format("line {}", pl.col("index") + line_offset + 1),
            "detail",
            separator=": ",
            ignore_nulls=True,
        ),
        raw=pl.col("line").str.slice(
            0, pl.when(pl.col("reason") == "field_too_long").then(RAW_KEPT)
        ),
    )
    good = starts.filter(pl.col("reason").is_null())
    groups = [
        _group(frame, columns, group)
        for _, group in sorted(
            good.with_columns(is_mended=pl.col("csv").is_not_null())
            .partition_by("width", "is_mended", as_dict=True, maintain_order=True)
            .items()
        )
    ]
    records = (
        pl.concat(groups, how="diagonal").sort("\0number")
        if groups
        else pl.DataFrame(schema={**dict.fromkeys(columns, pl.String), "\0number": pl.Int64})
    )
    return FramedBlock(
        columns=records.drop("\0number"),
        names=columns,
        numbers=good["record_number"],
        raw=lambda: good["line"],
        rejects=rejects.cast(REJECTS),
        flags=good["flag"] if good["flag"].null_count() < good.height else None,
    )


def _group(frame: DelimitedFrame, columns: list[str], group: pl.DataFrame) -> pl.DataFrame:
    """The columns of records of one width, mended or not."""
    width = int(group["width"][0])
    is_mended = group["csv"][0] is not None
    text = str(group["csv" if is_mended else "line"].str.join("\n").item())
    delimiter, quote = (",", '"') if is_mended else (frame.delimiter, frame.quote)
    parsed = parsed_columns(
        text.encode() + b"\n", delimiter, quote, columns[:width], columns[:width]
    )
    if parsed is None or parsed.height != group.height:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
        parsed = pl.DataFrame(
            list(rows), schema=dict.fromkeys(columns[:width], pl.String), orient="row"
        )
    return parsed.with_columns(group["record_number"].alias("\0number"))


def parsed_columns(
    text: bytes, delimiter: str, quote: str | None, columns: list[str], wanted: list[str]
) -> pl.DataFrame | None:
    """Wanted columns of well-formed text; None where a line has more columns than named."""
    try:
        scanned = pl.scan_csv(
            text,
            has_header=False,
            separator=delimiter,
            quote_char=quote,
            schema=dict.fromkeys(columns, pl.String),
        )
        return scanned.select(wanted).collect()
    except pl.exceptions.PolarsError:
        return None  # a line is too long: the careful path says which
