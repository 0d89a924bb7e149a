"""How a usage file is cut into records with named text columns: the closed set of framings."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from billing_pipeline.vocabulary.configuration import Configuration

Encoding = Literal["utf-8", "utf-16", "latin-1", "cp1252", "ascii"]
Character = Annotated[str, StringConstraints(min_length=1, max_length=1, strip_whitespace=False)]
ColumnName = Annotated[str, Field(min_length=1, max_length=200)]

_MEGABYTE = 1_048_576


class FrameBase(Configuration):
    """What every framing has: encoding and limits.

    A record that is not valid in `encoding` is read in `fallback_encoding` and flagged, or goes
    to suspense if there is none.
    """

    encoding: Encoding = "utf-8"
    fallback_encoding: Encoding | None = None
    max_record_bytes: int = Field(default=_MEGABYTE, ge=80, le=64 * _MEGABYTE)


class DelimitedFrame(FrameBase):
    """Lines of delimited columns, quoted or not.

    With `header: names` the first line (after `skip_lines`) names the columns and `columns` must
    stay empty. With `header: none` the names of `columns` stand for the positions; `widths`
    lists every number of columns a record may have (default: all of `columns`). A quoted field
    may hold line ends, up to `max_lines_per_record` lines.
    `quoting: tolerant` also takes quotes inside quotes that were not escaped, within one line.

        frame: {framing: delimited, header: names}
        frame:
          framing: delimited
          header: none
          delimiter: ";"
          columns: [account, src, dst, start, billsec]
    """

    framing: Literal["delimited"]
    delimiter: Character = ","
    quote: Character | None = '"'
    escape: Literal["double", "backslash"] = "double"
    quoting: Literal["strict", "tolerant"] = "strict"
    header: Literal["names", "none"] = "names"
    columns: list[ColumnName] = []
    widths: list[Annotated[int, Field(ge=1)]] = []
    known_columns: list[ColumnName] = Field(
        default=[],
        description="header: names; a file with any other column is read, its records are flagged "
        "new_column. None: whatever comes",
    )
    skip_lines: int = Field(default=0, ge=0, description="free-text lines before the header")
    rows_after_header: int = Field(default=0, ge=0, description="e.g. 1 for a row of data types")
    comment_prefix: str | None = None
    trailing_delimiter: Literal["refuse", "allow"] = "refuse"
    max_lines_per_record: int = Field(default=100, ge=1, le=10_000)

    @model_validator(mode="after")
    def _columns_fit_the_header(self) -> "DelimitedFrame":
        if self.header == "names" and self.columns:
            raise ValueError("columns are for files without header (header: none)")
        if self.header == "none" and not self.columns:
            raise ValueError("a file without header needs columns: [name, name, ...]")
        if any(width > len(self.columns) for width in self.widths):
            raise ValueError("widths may not be greater than the number of columns")
        if len(set(self.columns)) != len(self.columns):
            raise ValueError("columns must differ")
        return self


class FixedColumn(Configuration):
    """One column of a fixed-width record; `start` counts from 1."""

    name: ColumnName
    start: int = Field(ge=1)
    length: int = Field(ge=1)


class FixedLayout(Configuration):
    """Columns of the records whose line starts with (`prefix`), optionally of one length."""

    prefix: str = ""
    length: int | None = Field(default=None, ge=1, description="characters of the whole record")
    columns: Annotated[list[FixedColumn], Field(min_length=1)]


class FixedWidthFrame(FrameBase):
    """Lines cut at fixed positions; the first layout whose prefix fits is taken.

    frame:
      framing: fixed_width
      layouts:
        - prefix: "20"
          columns: [{name: kind, start: 1, length: 2}, {name: caller, start: 3, length: 15}]
    """

    framing: Literal["fixed_width"]
    layouts: Annotated[list[FixedLayout], Field(min_length=1)]
    skip_lines: int = Field(default=0, ge=0)


class NdjsonFrame(FrameBase):
    """One JSON object per line. Fields name their place by a path: `data.bytes`, `variables.uuid`.

    frame: {framing: ndjson}
    """

    framing: Literal["ndjson"]


class JsonFrame(FrameBase):
    """One JSON document; `records` is the path of the list (empty: the document itself).

    A document that is an object and no list is one record.
    """

    framing: Literal["json"]
    records: str = ""
    max_document_bytes: int = Field(default=4096 * _MEGABYTE, ge=1)


class XmlFrame(FrameBase):
    """An XML document; every element at the path `records` is one record.

    Paths are local names joined by `/`, without namespaces; a field's path begins below the
    record (`timePeriod/start`, `@id`) or with `^` at an enclosing element (`^IntervalBlock/id`).
    """

    framing: Literal["xml"]
    records: str


class ParagraphsFrame(FrameBase):
    """Records divided by blank lines, one `name = value` per line (RADIUS detail)."""

    framing: Literal["paragraphs"]
    assignment: str = Field(default="=", min_length=1)
    heading: ColumnName = Field(default="heading", description="column of the first, bare line")


class LogLinesFrame(FrameBase):
    """Lines whose named regex groups are the columns.

    Lines that fit a pattern of `control` are no usage; any other line is suspense.
    """

    framing: Literal["log_lines"]
    pattern: str
    control: list[str] = []


class Nem12Frame(FrameBase):
    """AEMO NEM12 interval and NEM13 accumulated meter data: one record per interval or read.

    Columns: record (300 or 250), nmi, configuration, register, suffix, serial, unit,
    interval_minutes, interval_date (YYYYMMDD), interval_number (from 1), started_at
    (YYYYMMDDHHMMSS, market time), value, quality, reason_code, updated_at, and for NEM13
    previous_value, previous_at, current_value, current_at.
    """

    framing: Literal["nem12"]


class ParquetFrame(FrameBase):
    """A Parquet file; columns by name, nested ones by path."""

    framing: Literal["parquet"]


class SpreadsheetFrame(FrameBase):
    """A sheet of a workbook (xlsx); the first row after `skip_lines` names the columns."""

    framing: Literal["spreadsheet"]
    sheet: str | None = Field(default=None, description="None: the first")
    skip_lines: int = Field(default=0, ge=0)
