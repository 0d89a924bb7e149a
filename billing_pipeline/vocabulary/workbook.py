"""Frames to an xlsx workbook, written column by column: equal rows, equal bytes.

Cells are built as text by the columnar engine, so 20,000 rows take a second where writers that
go cell by cell take minutes. Source: ECMA-376 (Office Open XML), parts 1 and 2: the least a
workbook needs.
"""

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

import polars as pl

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_EPOCH = dt.date(1899, 12, 30)  # day 0 of the 1900 date system, leap-year mistake included
_NOT_IN_XML = r"[\x00-\x08\x0B\x0C\x0E-\x1F]"
_LETTERS = 26
_DATE_STYLE, _INSTANT_STYLE = 1, 2
_DAY_US = 86_400_000_000
_SHEET_NAME = 31
MOST_ROWS = 1_048_575
"""Rows a sheet holds below its header. Source: Excel specifications and limits."""
MOST_CHARACTERS = 32_767
"""Characters a cell holds; Excel calls a file with more damaged. Source: the same."""

_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd hh:mm:ss"/></numFmts>'
    '<fonts count="1"><font/></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf numFmtId="164" applyNumberFormat="1"/>'
    '<xf numFmtId="165" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_SHEET_TYPE = (
    '<Override PartName="/xl/worksheets/sheet{number}.xml" '
    f'ContentType="{_TYPES}.worksheet+xml"/>'
)
_ROOT_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/><Relationship Id="rId2" '
    f'Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
    "</Relationships>"
)


class TooManyRows(Exception):
    """A frame is longer than a sheet; take the CSV or Parquet instead."""


def workbook_bytes(sheets: Mapping[str, pl.DataFrame], created_at: dt.datetime) -> bytes:
    """A workbook: a sheet a frame, with a header and a row each.

    Texts, truth values, numbers, dates and instants (as UTC) keep their kind; nulls are empty
    cells; a text is never a formula, and is cut at the 32,767 characters a cell holds. Members
    carry `created_at`: equal rows, equal bytes.
    Raises: TooManyRows with the name of the frame.
    """
    for name, rows in sheets.items():
        if rows.height > MOST_ROWS:
            raise TooManyRows(f"{name} has {rows.height} rows; a sheet holds {MOST_ROWS}")
    members = {
        "[Content_Types].xml": _content_types(len(sheets)),
        "_rels/.rels": _ROOT_RELATIONS,
        "docProps/core.xml": _core(created_at.astimezone(dt.UTC)),
        "xl/workbook.xml": _book(sheets),
        "xl/_rels/workbook.xml.rels": _book_relations(len(sheets)),
        "xl/styles.xml": _STYLES,
    }
    stamp = created_at.astimezone(dt.UTC).timetuple()[:6]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(_member(name, stamp), text.encode())
        for number, rows in enumerate(sheets.values(), start=1):
            name = f"xl/worksheets/sheet{number}.xml"
            archive.writestr(_member(name, stamp), _sheet(rows).encode())
    return content.getvalue()


def _member(name: str, stamp: tuple[int, ...]) -> zipfile.ZipInfo:
    year, month, day, hour, minute, second = stamp
    info = zipfile.ZipInfo(name, (year, month, day, hour, minute, second))
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _content_types(sheets: int) -> str:
    numbered = (_SHEET_TYPE.format(number=number) for number in range(1, sheets + 1))
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f"{''.join(numbered)}"
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>'
        '<Override PartName="/docProps/core.xml" '
        'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>'
    )


def _book(names: Iterable[str]) -> str:
    listed = "".join(
        f'<sheet name="{escape(name[:_SHEET_NAME], {chr(34): "&quot;"})}" sheetId="{number}" '
        f'r:id="rId{number}"/>'
        for number, name in enumerate(names, start=1)
    )
    return (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets>'
        "</workbook>"
    )


def _book_relations(sheets: int) -> str:
    numbered = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/worksheet" '
        f'Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, sheets + 1)
    )
    return (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{numbered}'
        f'<Relationship Id="rId{sheets + 1}" Type="{_RELATIONS}/styles" Target="styles.xml"/>'
        "</Relationships>"
    )


def _core(instant: dt.datetime) -> str:
    stamp = f"{instant:%Y-%m-%dT%H:%M:%SZ}"
    dates = "".join(
        f'<dcterms:{name} xsi:type="dcterms:W3CDTF">{stamp}</dcterms:{name}>'
        for name in ("created", "modified")
    )
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dcterms="http://purl.org/dc/terms/" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{dates}</cp:coreProperties>'
    )


def _sheet(rows: pl.DataFrame) -> str:
    header = pl.DataFrame({name: [name] for name in rows.columns})
    lines = [*_lines(header, 1), *_lines(rows, 2)]
    return f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _lines(rows: pl.DataFrame, first_row: int) -> list[str]:
    """One `<row>` per row."""
    number = pl.int_range(first_row, pl.len() + first_row).cast(pl.String)
    cells = [
        _cell(pl.col(name), dtype, _letters(position), number)
        for position, (name, dtype) in enumerate(rows.schema.items())
    ]
    line = pl.concat_str(pl.lit('<row r="'), number, pl.lit('">'), *cells, pl.lit("</row>"))
    return rows.select(line=line).to_series().to_list()


def _cell(value: pl.Expr, dtype: pl.DataType, letters: str, number: pl.Expr) -> pl.Expr:
    place = pl.concat_str(pl.lit(f'<c r="{letters}'), number, pl.lit('"'))
    if dtype == pl.String:
        text = pl.concat_str(
            place,
            pl.lit(' t="inlineStr"><is><t xml:space="preserve">'),
            _escaped(value.str.head(MOST_CHARACTERS)),
            pl.lit("</t></is></c>"),
        )
    elif dtype == pl.Date:
        days = (value - pl.lit(_EPOCH)).dt.total_days().cast(pl.String)
        text = pl.concat_str(place, pl.lit(f' s="{_DATE_STYLE}"><v>'), days, pl.lit("</v></c>"))
    elif isinstance(dtype, pl.Datetime):
        since = value.dt.replace_time_zone(None) - pl.lit(_EPOCH).cast(pl.Datetime("us"))
        days = (since.dt.total_microseconds() / _DAY_US).round(9).cast(pl.String)
        text = pl.concat_str(place, pl.lit(f' s="{_INSTANT_STYLE}"><v>'), days, pl.lit("</v></c>"))
    elif dtype == pl.Boolean:
        bit = value.cast(pl.Int8).cast(pl.String)
        text = pl.concat_str(place, pl.lit(' t="b"><v>'), bit, pl.lit("</v></c>"))
    else:
        text = pl.concat_str(place, pl.lit("><v>"), value.cast(pl.String), pl.lit("</v></c>"))
    return text.fill_null("")


def _escaped(text: pl.Expr) -> pl.Expr:
    return (
        text.str.replace_all(_NOT_IN_XML, "")
        .str.replace_all("&", "&amp;", literal=True)
        .str.replace_all("<", "&lt;", literal=True)
        .str.replace_all(">", "&gt;", literal=True)
    )


def _letters(position: int) -> str:
    """Name of a column counted from 0: A, B ... Z, AA."""
    before, last = divmod(position, _LETTERS)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)
