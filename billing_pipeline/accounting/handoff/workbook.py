"""Rows to an xlsx workbook of one sheet, written column by column: equal rows, equal bytes.

Cells are built as text by the columnar engine, so 20,000 rows take a second where writers that
go cell by cell take minutes. Source: ECMA-376 (Office Open XML), parts 1 and 2: the least a
workbook needs.
"""

import datetime as dt
import io
import zipfile

import polars as pl

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_EPOCH = dt.date(1899, 12, 30)  # day 0 of the 1900 date system, leap-year mistake included
_NOT_IN_XML = r"[\x00-\x08\x0B\x0C\x0E-\x1F]"
_LETTERS = 26
_DATE_STYLE = 1
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="1"><font/></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_CONTENT_TYPES = (
    f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>'
    '<Override PartName="/docProps/core.xml" '
    'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>'
)
_ROOT_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/><Relationship Id="rId2" '
    f'Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
    "</Relationships>"
)
_BOOK_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" '
    f'Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>'
)


def workbook_bytes(sheet_name: str, rows: pl.DataFrame, created_at: dt.datetime) -> bytes:
    """A workbook with one sheet: a header, one row each; texts, whole numbers, decimals, dates.

    Nulls are empty cells; a text is never a formula. Members carry `created_at`, so that equal
    rows give equal bytes.
    """
    book = (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
        f'<sheet name="{sheet_name}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    members = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _ROOT_RELATIONS,
        "docProps/core.xml": _core(created_at.astimezone(dt.UTC)),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": _BOOK_RELATIONS,
        "xl/styles.xml": _STYLES,
        "xl/worksheets/sheet1.xml": _sheet(rows),
    }
    stamp = created_at.astimezone(dt.UTC).timetuple()[:6]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            info = zipfile.ZipInfo(name, stamp)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text.encode())
    return content.getvalue()


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
            _escaped(value),
            pl.lit("</t></is></c>"),
        )
    elif dtype == pl.Date:
        days = (value - pl.lit(_EPOCH)).dt.total_days().cast(pl.String)
        text = pl.concat_str(place, pl.lit(f' s="{_DATE_STYLE}"><v>'), days, pl.lit("</v></c>"))
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
