"""Reading odd lines of a delimited file: quotes over several lines, escapes, damage.

Only lines that are not well-formed by themselves come here. A quoted field may run over line
ends; if that does not lead to a well-formed record, the line alone is rejected and reading goes
on with the next line, so that a flipped quote never eats its neighbours.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from billing_pipeline.catalog.feed_frames import DelimitedFrame
from billing_pipeline.vocabulary.outcome import SuspenseReason


class Mended(NamedTuple):
    """A record that took effort: its lines, its plain CSV text, its number of columns."""

    first: int
    until: int
    text: str
    width: int
    flag: str | None


class Rejected(NamedTuple):
    """A line that is no record."""

    first: int
    reason: SuspenseReason
    detail: str


@dataclass
class Mending:
    """What became of the odd lines; `open_from` is a record the block's end cut off."""

    mended: list[Mended] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    open_from: int | None = None


class Open(NamedTuple):
    """A quoted field that had not ended at the end of the line."""

    fields: tuple[str, ...]
    begun: str


class Dialect(NamedTuple):
    """Compiled patterns of one dialect."""

    delimiter: str
    quote: str
    bare: re.Pattern[str]
    inside: re.Pattern[str]
    escape: str


@lru_cache(maxsize=64)
def dialect_of(delimiter: str, quote: str, escape: str) -> Dialect:
    """The patterns by which fields of a dialect are found."""
    d, q = re.escape(delimiter), re.escape(quote)
    if escape == "backslash":
        bare, inside = rf"(?:[^{q}{d}\\]|\\.)*+", rf"(?:[^{q}\\]|\\.|\\$)*+"
    else:
        bare, inside = rf"[^{q}{d}]*+", rf"(?:[^{q}]|{q}{q})*+"
    return Dialect(
        delimiter, quote, re.compile(bare, re.DOTALL), re.compile(inside, re.DOTALL), escape
    )


def mend(
    line_at: Callable[[int], str],
    lines: int,
    odd: list[int],
    frame: DelimitedFrame,
    widths: frozenset[int],
    *,
    is_last: bool,
) -> Mending:
    """Read the odd lines of a block; `line_at` gives any of its `lines` lines."""
    result = Mending()
    reached = 0
    for first in odd:
        if first < reached:
            continue
        outcome = _record_from(line_at, lines, first, frame, widths)
        if isinstance(outcome, Mended):
            result.mended.append(outcome)
            reached = outcome.until
        elif outcome is None and not is_last:
            result.open_from = first
            return result
        else:
            rejected = outcome or Rejected(
                first, SuspenseReason.INVALID_SYNTAX, "a quote is never closed"
            )
            result.rejected.append(rejected)
    return result


def _record_from(
    line_at: Callable[[int], str],
    lines: int,
    first: int,
    frame: DelimitedFrame,
    widths: frozenset[int],
) -> Mended | Rejected | None:
    """The record that begins at line `first`; None if the block ends inside a quote."""
    dialect = dialect_of(frame.delimiter, frame.quote or "\0", frame.escape)
    state: Open | None = None
    limit = min(lines, first + frame.max_lines_per_record)
    size = 0
    for at in range(first, limit):
        line = line_at(at)
        size += len(line) + 1
        read = split_line(line, dialect, state)
        if isinstance(read, Open) and size <= frame.max_record_bytes:
            state = read
            continue
        if isinstance(read, list) and len(read) in widths:
            return Mended(first, at + 1, plain_csv(read), len(read), None)
        return _second_look(line_at(first), frame, dialect, widths, first)
    if limit == lines and lines - first < frame.max_lines_per_record:
        return None
    return _second_look(line_at(first), frame, dialect, widths, first)


def _second_look(
    line: str,
    frame: DelimitedFrame,
    dialect: Dialect,
    widths: frozenset[int],
    first: int,
) -> Mended | Rejected:
    if frame.quoting == "tolerant":
        fields = split_tolerantly(line, dialect)
        if len(fields) in widths:
            return Mended(first, first + 1, plain_csv(fields), len(fields), "tolerant_quotes")
    alone = split_line(line, dialect, None)
    if isinstance(alone, list):
        detail = f"{len(alone)} columns, not {' or '.join(map(str, sorted(widths)))}"
        return Rejected(first, SuspenseReason.COLUMN_COUNT, detail)
    what = "a quote is never closed" if isinstance(alone, Open) else "a quote stands inside a field"
    return Rejected(first, SuspenseReason.INVALID_SYNTAX, what)


def split_line(line: str, dialect: Dialect, state: Open | None) -> list[str] | Open | None:
    """Fields of a line, strictly; Open if a quote runs on; None if quotes are wrong."""
    fields = list(state.fields) if state else []
    at = 0
    begun: str | None = f"{state.begun}\n" if state else None
    while True:
        if begun is not None or line.startswith(dialect.quote, at):
            at += 0 if begun is not None else 1
            match = dialect.inside.match(line, at)
            text = (begun or "") + (match.group() if match else "")
            at = match.end() if match else at
            if at >= len(line):
                return Open(tuple(fields), text)
            at += 1
            fields.append(_unescaped(text, dialect))
            begun = None
        else:
            match = dialect.bare.match(line, at)
            at = match.end() if match else at
            fields.append(_unescaped(match.group() if match else "", dialect, is_bare=True))
        if at >= len(line):
            return fields
        if not line.startswith(dialect.delimiter, at):
            return None
        at += len(dialect.delimiter)


def split_tolerantly(line: str, dialect: Dialect) -> list[str]:
    """Fields where a quote ends a field only before a delimiter or the end of the line."""
    d, q = re.escape(dialect.delimiter), re.escape(dialect.quote)
    found = re.finditer(rf"\s*{q}(.*?){q}\s*(?:{d}|$)|([^{d}]*)(?:{d}|$)", line)
    fields = []
    for match in found:
        quoted, bare = match.groups()
        fields.append(quoted if quoted is not None else bare)
        if match.end() == len(line) and not match.group().endswith(dialect.delimiter):
            break
    return fields


def plain_csv(fields: list[str]) -> str:
    """The fields as one record of comma separated, fully quoted text."""
    return ",".join('"' + text.replace('"', '""') + '"' for text in fields)


def _unescaped(text: str, dialect: Dialect, *, is_bare: bool = False) -> str:
    if dialect.escape == "backslash":
        return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
    return text if is_bare else text.replace(dialect.quote * 2, dialect.quote)
