"""Whole documents: JSON, XML, Parquet, spreadsheets."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterator
from typing import IO

import polars as pl

from billing_pipeline.catalog.feed_frames import JsonFrame, ParquetFrame, SpreadsheetFrame
from billing_pipeline.mediation.framing.blocks import FramedBlock, utf8_or_none
from billing_pipeline.mediation.framing.json_paths import load_exactly, text_at
from billing_pipeline.mediation.framing.rows import BATCH, Row, row_blocks
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason
from billing_pipeline.vocabulary.outcome import SuspenseReason

_LARGEST_BINARY = 4 * 1024**3
_LARGEST_SHEET = 1024**3


def json_blocks(frame: JsonFrame, stream: IO[bytes], paths: list[str]) -> Iterator[FramedBlock]:
    """Records of one JSON document. Raises: FileRefused if it is none, or has no such list."""
    text = utf8_or_none(read_within(stream, frame.max_document_bytes), frame.encoding)
    if text is None:
        raise FileRefused(QuarantineReason.UNEXPECTED_ENCODING, "not in the declared encoding")
    if not text.strip():
        return iter(())
    try:
        document = load_exactly(text.decode().removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise FileRefused(QuarantineReason.MALFORMED_DOCUMENT, str(error)[:300]) from error
    return row_blocks((_json_row(record, paths) for record in _records(document, frame)), paths)


def _records(document: object, frame: JsonFrame) -> list[object]:
    value = document
    for part in frame.records.split(".") if frame.records else []:
        if not isinstance(value, dict) or part not in value:
            raise FileRefused(
                QuarantineReason.MALFORMED_DOCUMENT, f"the document has no {frame.records!r}"
            )
        value = value[part]
    return value if isinstance(value, list) else [value]


def _json_row(record: object, paths: list[str]) -> Row:
    raw = json.dumps(record, ensure_ascii=False)
    if not isinstance(record, dict):
        nothing = (None,) * len(paths)
        return Row(nothing, raw, SuspenseReason.INVALID_SYNTAX.value, "not a JSON object")
    return Row(tuple(text_at(record, path) for path in paths), raw)


def read_within(stream: IO[bytes], limit: int) -> bytes:
    """All of a stream. Raises: FileRefused if it is longer than `limit` bytes."""
    parts, size = [], 0
    while part := stream.read(1024 * 1024):
        size += len(part)
        if size > limit:
            raise FileRefused(
                QuarantineReason.DOCUMENT_TOO_LARGE, f"the document has more than {limit} bytes"
            )
        parts.append(part)
    return b"".join(parts)


def parquet_blocks(
    _frame: ParquetFrame, stream: IO[bytes], paths: list[str]
) -> Iterator[FramedBlock]:
    """Records of a Parquet file, every value as text. Raises: FileRefused if it is corrupt."""
    content = io.BytesIO(read_within(stream, _LARGEST_BINARY))
    try:
        schema = pl.read_parquet_schema(content)
        content.seek(0)
        present = [path for path in paths if path.split(".")[0] in schema]
        frame = pl.read_parquet(
            content, columns=list(dict.fromkeys(path.split(".")[0] for path in present))
        ).select(_nested(path).alias(path) for path in present)
        texts = frame.select(_as_text(frame[path]) for path in present)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        # Damaged pages make the reader panic, which is no Exception and would stop the run.
        raise FileRefused(QuarantineReason.MALFORMED_DOCUMENT, str(error)[:300]) from error
    return _frame_blocks(texts, frame.height)


def _nested(path: str) -> pl.Expr:
    first, *rest = path.split(".")
    value = pl.col(first)
    for part in rest:
        value = value.struct.field(part)
    return value


def _as_text(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime):
        zone = "UTC" if column.dtype.time_zone else None
        instant = column.dt.convert_time_zone("UTC") if zone else column
        return instant.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f" + ("Z" if zone else ""))
    return column.cast(pl.String)


def _frame_blocks(texts: pl.DataFrame, records: int) -> Iterator[FramedBlock]:
    for start in range(0, records, BATCH):
        part = texts.slice(start, BATCH)
        yield FramedBlock(
            columns=part,
            names=texts.columns,
            numbers=pl.int_range(start + 1, start + 1 + part.height, dtype=pl.Int64, eager=True),
            raw=lambda part=part: part.select(  # type: ignore[misc]
                pl.struct(pl.all()).struct.json_encode()
            ).to_series(),
        )


def spreadsheet_blocks(
    frame: SpreadsheetFrame, stream: IO[bytes], wanted: list[str]
) -> Iterator[FramedBlock]:
    """Rows of a sheet as text; wholly empty rows are none. Raises: FileRefused."""
    content = io.BytesIO(read_within(stream, _LARGEST_SHEET))
    header, rows = _sheet(frame, content)
    places = {name: at for at, name in reversed(list(enumerate(header))) if name}
    present = [name for name in wanted if name in places]
    return row_blocks(
        (
            Row(
                tuple(_cell_text(cells[places[name]]) for name in present),
                json.dumps([_cell_text(cell) for cell in cells], ensure_ascii=False),
            )
            for cells in rows
            if any(cell not in (None, "") for cell in cells)
        ),
        present,
    )


def _sheet(frame: SpreadsheetFrame, content: io.BytesIO) -> tuple[list[str], list[list[object]]]:
    """Header and rows of a sheet, cells as they are."""
    import pandas as pd  # noqa: PLC0415 - slow to import, needed for spreadsheets only

    try:
        _refuse_bomb(content)
        sheet = pd.read_excel(
            content,
            sheet_name=frame.sheet or 0,
            header=None,
            skiprows=frame.skip_lines,
            dtype=object,
            keep_default_na=False,
            na_filter=False,
        )
    except FileRefused:
        raise
    except Exception as error:
        # A damaged workbook makes its readers fail in every way there is; all of them mean that.
        raise FileRefused(QuarantineReason.MALFORMED_DOCUMENT, f"workbook: {error}") from error
    rows: list[list[object]] = sheet.to_numpy(dtype=object).tolist()
    return ([str(name).strip() for name in rows[0]], rows[1:]) if rows else ([], [])


def _refuse_bomb(content: io.BytesIO) -> None:
    with zipfile.ZipFile(content) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > _LARGEST_SHEET:
        raise FileRefused(QuarantineReason.DECOMPRESSION_LIMIT, "the workbook is a bomb")


def _cell_text(cell: object) -> str | None:
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return None if cell is None else str(cell)
