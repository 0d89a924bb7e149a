"""Delimited lines: a fast path for regular blocks, a careful one for everything else.

A block is regular if it is valid text without quotes and control characters in which the number
of delimiters proves, together with the reader's refusal of long lines, that every line has the
declared width. Every other block is judged line by line, still vectorised; only lines that are
not well-formed by themselves are read one at a time (see quoting.py).
"""

import csv
from collections.abc import Iterator
from typing import IO

import polars as pl

from billing_pipeline.catalog.feed_frames import DelimitedFrame
from billing_pipeline.mediation.framing.blocks import (
    REJECTS,
    FramedBlock,
    LineBlock,
    decoded_lines,
    line_blocks,
    utf8_or_none,
)
from billing_pipeline.mediation.framing.careful import (
    careful_block,
    judged_lines,
    parsed_columns,
    record_starts,
)
from billing_pipeline.mediation.framing.quoting import mend
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason
from billing_pipeline.vocabulary.outcome import SuspenseReason

CONTROL_BYTES = bytes(byte for byte in range(32) if byte not in b"\t\n\r") + b"\x7f"


def delimited_blocks(
    frame: DelimitedFrame, stream: IO[bytes], wanted: list[str]
) -> Iterator[FramedBlock]:
    """Cut a delimited file into blocks of records; `wanted` are the columns some field reads.

    A header without records is a block without records, so that its columns can be judged.
    Raises: FileRefused if the header is missing or the encoding is not the declared one.
    """
    reader = _Reader(frame, wanted)
    for block in line_blocks(stream, frame.max_record_bytes, frame.encoding):
        framed = reader.read(block)
        if framed is not None and framed.records:
            yield framed
    reader.finish()
    if not reader.records and reader.columns is not None:
        yield reader.header_alone(reader.columns)


class _Reader:
    """Where in the file we are: header read or not, records and lines so far, text held over."""

    def __init__(self, frame: DelimitedFrame, wanted: list[str]) -> None:
        self.frame = frame
        self.places = wanted
        self.columns: list[str] | None = list(frame.columns) or None
        self.widths = frozenset(frame.widths or ([len(frame.columns)] if frame.columns else []))
        self.before_records = frame.skip_lines
        self.records = 0
        self.lines = 0
        self.held = b""
        self.has_text = False

    def read(self, block: LineBlock) -> FramedBlock | None:
        """Records of one block of lines; None while still in the header."""
        if block.is_overlong:
            return self._overlong(block)
        text = self._after_header(self.held + block.text, is_last=block.is_last)
        self.held = b""
        if not text or self.columns is None:
            return None
        framed = self._regular(text, self.columns) or self._careful(
            text, self.columns, is_last=block.is_last
        )
        self.records += framed.records
        return framed

    def finish(self) -> None:
        """Check that what had to stand in the file was there."""
        if self.columns is None and self.has_text:
            raise FileRefused(QuarantineReason.MISSING_HEADER, "the file ends before its header")

    def header_alone(self, columns: list[str]) -> FramedBlock:
        """A block that says what columns the file has, and has no records."""
        return FramedBlock(
            columns=pl.DataFrame(schema=dict.fromkeys(columns, pl.String)),
            names=columns,
            numbers=_numbers(1, 0),
            raw=lambda: pl.Series(dtype=pl.String),
        )

    def _after_header(self, text: bytes, *, is_last: bool) -> bytes:
        self.has_text = self.has_text or not (text.isspace() or not text)
        while text and self.before_records:
            text = self._next_line(text)[1]
            self.before_records -= 1
        while text and self.columns is None:
            line, text = self._next_line(text)
            if line.strip():
                self._take_header(line)
                self.before_records = self.frame.rows_after_header
        return self._after_header(text, is_last=is_last) if text and self.before_records else text

    def _next_line(self, text: bytes) -> tuple[bytes, bytes]:
        self.lines += 1
        end = text.find(b"\n")
        return (text, b"") if end < 0 else (text[:end], text[end + 1 :])

    @property
    def wanted(self) -> set[str]:
        """Names of the columns that are read; a place that is a number is a position."""
        names = self.columns or []
        positions = {int(place) for place in self.places if place.isdigit()}
        return {*self.places, *(names[at - 1] for at in positions if 1 <= at <= len(names))}

    def _take_header(self, line: bytes) -> None:
        text = utf8_or_none(line, self.frame.encoding)
        if text is None:
            raise FileRefused(
                QuarantineReason.UNEXPECTED_ENCODING, "the header is not in the declared encoding"
            )
        quote = self.frame.quote or "\0"
        names = next(csv.reader([text.decode()], delimiter=self.frame.delimiter, quotechar=quote))
        if self.frame.trailing_delimiter == "allow" and names[-1:] == [""]:
            names = names[:-1]
        self.columns = _distinct([name.strip() for name in names])
        self.widths = frozenset([len(self.columns)])

    def _regular(self, text: bytes, columns: list[str]) -> FramedBlock | None:
        frame, width = self.frame, max(self.widths)
        if len(self.widths) != 1 or frame.comment_prefix is not None:
            return None
        rows = regular_rows(text, frame, width)
        utf8 = utf8_or_none(text, frame.encoding) if rows else None
        if utf8 is None or not rows:
            return None
        wanted = [name for name in columns[:width] if name in self.wanted]
        parsed = parsed_columns(utf8, frame.delimiter, None, columns[:width], wanted)
        if parsed is None or parsed.height != rows or _longest(parsed) > frame.max_record_bytes:
            return None
        self.lines += rows
        return FramedBlock(
            columns=parsed,
            names=columns,
            numbers=_numbers(self.records + 1, rows),
            raw=lambda: _lines(utf8),
            is_trimmed=utf8.isascii() and not _is_padded(parsed),
        )

    def _careful(self, text: bytes, columns: list[str], *, is_last: bool) -> FramedBlock:
        frame = self.frame
        text = text.removesuffix(b"\n")
        lines = decoded_lines(text, frame.encoding, frame.fallback_encoding)
        judged = judged_lines(lines, frame, self.widths)
        series = judged["line"]
        odd = judged.filter(pl.col("width") == 0)["index"].to_list()
        mending = mend(
            lambda at: str(series[at]), judged.height, odd, frame, self.widths, is_last=is_last
        )
        if mending.open_from is not None:
            # The record goes on in the next block: hold its lines over.
            self.held = b"\n".join(text.split(b"\n")[mending.open_from :]) + b"\n"
            judged = judged.head(mending.open_from)
        starts = record_starts(judged, mending, self.records)
        self.lines, line_offset = self.lines + judged.height, self.lines
        return careful_block(frame, columns, starts, line_offset)

    def _overlong(self, block: LineBlock) -> FramedBlock:
        self.records += 1
        self.lines += 1
        raw = block.text.decode("utf-8", errors="backslashreplace")
        return FramedBlock(
            columns=pl.DataFrame(),
            names=[],
            numbers=_numbers(1, 0),
            raw=lambda: pl.Series(dtype=pl.String),
            rejects=pl.DataFrame(
                [(self.records, SuspenseReason.FIELD_TOO_LONG.value, f"line {self.lines}", raw)],
                schema=REJECTS,
                orient="row",
            ),
        )


def regular_rows(text: bytes, frame: DelimitedFrame, width: int) -> int:
    """Number of rows if every line has exactly `width` plain columns, else 0.

    With all ordinary bytes taken away, nothing but the same few delimiters per line may be left:
    no quote, no escape, no control character, no line of another width.
    """
    delimiter = frame.delimiter.encode()
    special = {*CONTROL_BYTES, *b"\n", *delimiter}
    special |= set((frame.quote or "").encode())
    special |= set(b"\\" if frame.escape == "backslash" else b"")
    left = text.translate(None, bytes(byte for byte in range(256) if byte not in special))
    left += b"" if left.endswith(b"\n") else b"\n"
    line = delimiter * (width - 1) + b"\n"
    rows, rest = divmod(len(left), len(line))
    return rows if not rest and left == line * rows and width > 1 else 0


def _longest(parsed: pl.DataFrame) -> int:
    longest = parsed.select(pl.all().str.len_bytes().max()).max_horizontal().item()
    return int(longest or 0)


def _lines(text: bytes) -> pl.Series:
    return pl.Series([text.decode().removesuffix("\n")]).str.split("\n").explode()


def _numbers(first: int, count: int) -> pl.Series:
    return pl.int_range(first, first + count, dtype=pl.Int64, eager=True)


def _is_padded(parsed: pl.DataFrame) -> bool:
    column = pl.all().str
    padded = pl.any_horizontal(
        test.any()
        for blank in (" ", "\t")
        for test in (column.starts_with(blank), column.ends_with(blank))
    )
    return bool(parsed.select(padded).item()) if parsed.width else False


def _distinct(names: list[str]) -> list[str]:
    """Names made distinct: a repeated one gets `#2`, `#3`."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return result
