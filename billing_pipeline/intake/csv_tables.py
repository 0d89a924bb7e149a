"""Configuration tables in CSV: header, types and required cells checked column by column."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from billing_pipeline.intake.model_problems import did_you_mean
from billing_pipeline.vocabulary.money import AMOUNT
from billing_pipeline.vocabulary.problems import ROW, Problem, problems_in

Kind = Literal[
    "text", "key", "prefix", "date", "local_time", "decimal", "integer", "country", "currency"
]

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_PATTERNS: dict[Kind, tuple[str, str]] = {
    "text": (r"(?s)^.{1,500}$", "is longer than 500 characters"),
    "key": (
        r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
        "is not a key; take letters, digits, `_`, `-` and `.`, at most 63",
    ),
    "prefix": (r"^[0-9]{1,15}$", "is not a prefix; write E.164 digits only, e.g. 4420"),
    "date": (_DATE, "is not a date; write it as 2026-09-30"),
    "local_time": (
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?$",
        "is not a local time; write 2026-09-30 or 2026-09-30 12:00",
    ),
    "decimal": (
        r"^-?[0-9]{1,18}(\.[0-9]{1,10})?$",
        "is not a number; write it as 1234.56, without thousands separators",
    ),
    "integer": (r"^-?[0-9]{1,9}$", "is not a whole number"),
    "country": (r"^[A-Z]{2}$", "is not a country; write two capital letters, e.g. GB"),
    "currency": (r"^[A-Z]{3}$", "is not a currency; write three capital letters, e.g. USD"),
}


@dataclass(frozen=True)
class CsvColumn:
    """One column of a table: what its cells hold and whether they may be empty."""

    name: str
    kind: Kind = "text"
    is_required: bool = False


def cell_pattern(kind: Kind) -> str:
    """What a filled cell of a kind looks like, as JSON Schema writes regular expressions."""
    return _PATTERNS[kind][0].replace("(?s)^.{", "^[\\s\\S]{")


@dataclass(frozen=True)
class CsvTable:
    """The rows of a file whose cells are all good, each with its ROW, and the problems."""

    frame: pl.DataFrame
    problems: tuple[Problem, ...] = ()


def read_table(file: str, content: bytes, columns: Sequence[CsvColumn]) -> CsvTable:
    """Read a CSV with a header; cells are trimmed, empty ones are null, dates are dates.

    Shape: one row per good row of the file, in its order; columns not in the file are null.
    """
    content = content.removeprefix(b"\xef\xbb\xbf")
    header_problems = _header_problems(file, content, columns)
    if header_problems:
        return CsvTable(_empty(columns), tuple(header_problems))
    try:
        text = pl.read_csv(io.BytesIO(content), infer_schema=False, row_index_name=ROW)
    except pl.exceptions.PolarsError:
        return CsvTable(_empty(columns), tuple(_broken_rows(file, content, len(columns))))
    cells = _cells(text, columns)
    problems = [problem for column in columns for problem in _cell_problems(file, cells, column)]
    bad = pl.any_horizontal(_is_wrong(column).fill_null(value=False) for column in columns)
    good = cells.filter(~bad).with_columns(_typed(column) for column in columns)
    return CsvTable(good, tuple(problems))


def _cells(text: pl.DataFrame, columns: Sequence[CsvColumn]) -> pl.DataFrame:
    absent = [column.name for column in columns if column.name not in text.columns]
    return text.with_columns(pl.lit(None, pl.String).alias(name) for name in absent).select(
        (pl.col(ROW).cast(pl.Int64) + 2).alias(ROW),
        *(
            pl.col(column.name).str.strip_chars().replace("", None).alias(column.name)
            for column in columns
        ),
    )


def _is_malformed(column: CsvColumn) -> pl.Expr:
    cell = pl.col(column.name)
    malformed = ~cell.str.contains(_PATTERNS[column.kind][0])
    if column.kind == "date":
        malformed |= cell.str.to_date("%Y-%m-%d", strict=False).is_null() & cell.is_not_null()
    if column.kind == "local_time":
        day = cell.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        malformed |= day.is_null() & cell.is_not_null()
    return malformed


def _is_wrong(column: CsvColumn) -> pl.Expr:
    malformed = _is_malformed(column)
    return (pl.col(column.name).is_null() | malformed) if column.is_required else malformed


def _cell_problems(file: str, cells: pl.DataFrame, column: CsvColumn) -> list[Problem]:
    name, cell = column.name, pl.col(column.name)
    malformed = problems_in(
        cells,
        file,
        name,
        _is_malformed(column),
        pl.format("'{}' {}", cell.str.slice(0, 60), pl.lit(_PATTERNS[column.kind][1])),
    )
    if not column.is_required:
        return malformed
    missing = pl.lit("is empty; every row needs one")
    return [*problems_in(cells, file, name, cell.is_null(), missing), *malformed]


def _typed(column: CsvColumn) -> pl.Expr:
    cell = pl.col(column.name)
    if column.kind == "date":
        return cell.str.to_date("%Y-%m-%d", strict=False)
    if column.kind == "decimal":
        return cell.cast(AMOUNT)
    return cell.cast(pl.Int64) if column.kind == "integer" else cell


def _empty(columns: Sequence[CsvColumn]) -> pl.DataFrame:
    text = pl.DataFrame(
        schema=dict.fromkeys([ROW, *(column.name for column in columns)], pl.String)
    )
    return text.with_columns(pl.col(ROW).cast(pl.Int64), *(_typed(column) for column in columns))


def _header_problems(file: str, content: bytes, columns: Sequence[CsvColumn]) -> list[Problem]:
    known = [column.name for column in columns]
    first_line = content.split(b"\n", 1)[0].decode("utf-8", errors="replace")
    header = [name.strip() for name in next(csv.reader([first_line]), [])]
    if not header:
        return [Problem(file, 1, None, f"is empty; it needs the header {','.join(known)}")]
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        return [Problem(file, 1, None, "columns are not separated by commas; save it with commas")]
    problems = [
        Problem(file, 1, name, f"is no known column{did_you_mean(name, known)}")
        for name in header
        if name not in known
    ]
    problems += [
        Problem(file, 1, name, "stands twice in the header")
        for name in known
        if header.count(name) > 1
    ]
    return problems + [
        Problem(file, 1, column.name, "this column is missing; add it")
        for column in columns
        if column.is_required and column.name not in header
    ]


def _broken_rows(file: str, content: bytes, most: int) -> list[Problem]:
    """Why the fast reader refused the file, found by the patient one."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        return [Problem(file, row, None, "is not UTF-8; save it as CSV UTF-8")]
    rows = list(csv.reader(io.StringIO(text, newline="")))
    width = len(rows[0]) if rows else most
    wide = [number for number, row in enumerate(rows, start=1) if len(row) > width]
    problems = [
        Problem(file, number, None, "has more cells than the header; quote cells with commas")
        for number in wide[:20]
    ]
    return problems or [Problem(file, None, None, "is not CSV; mind unclosed quotes")]
