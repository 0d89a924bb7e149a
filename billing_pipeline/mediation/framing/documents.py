"""Documents that cannot be cut at line ends: Parquet, spreadsheets."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import IO

import polars as pl

from billing_pipeline.catalog.feed_frames import ParquetFrame, SpreadsheetFrame
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.framing.rows import BATCH, Row, row_blocks
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason

_LARGEST_BINARY = 1024**3
_LARGEST_WORKBOOK = 256 * 1024**2
_LARGEST_SHEETS = 4 * 1024**3
_LARGEST_TEXTS = 256 * 1024**2
_TEXTS = "xl/sharedStrings.xml"


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
    # Its directory stands at its end: the file is held as it is, and unpacked piece by piece.
    content = io.BytesIO(read_within(stream, _LARGEST_BINARY))
    try:
        schema = pl.read_parquet_schema(content)
        present = [path for path in paths if path.split(".")[0] in schema]
        records = pl.scan_parquet(content).select(_nested(path).alias(path) for path in present)
        height = int(pl.scan_parquet(content).select(pl.len()).collect().item())
        for start in range(0, height, BATCH):
            piece = records.slice(start, BATCH).collect()
            texts = piece.select(_as_text(piece[path]) for path in present)
            yield _frame_block(texts, start)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        # Damaged pages make the reader panic, which is no Exception and would stop the run.
        raise FileRefused(QuarantineReason.MALFORMED_DOCUMENT, str(error)[:300]) from error


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


def _frame_block(texts: pl.DataFrame, start: int) -> FramedBlock:
    return FramedBlock(
        columns=texts,
        names=texts.columns,
        numbers=pl.int_range(start + 1, start + 1 + texts.height, dtype=pl.Int64, eager=True),
        raw=lambda: texts.select(pl.struct(pl.all()).struct.json_encode()).to_series(),
    )


def spreadsheet_blocks(
    frame: SpreadsheetFrame, stream: IO[bytes], wanted: list[str]
) -> Iterator[FramedBlock]:
    """Rows of a sheet as text; wholly empty rows are none. Raises: FileRefused."""
    content = io.BytesIO(read_within(stream, _LARGEST_WORKBOOK))
    rows = _sheet(frame, content)
    header = [_cell_text(name) or "" for name in next(rows, ())]
    places = {name.strip(): at for at, name in reversed(list(enumerate(header))) if name.strip()}
    present = [name for name in wanted if name in places]
    return row_blocks(
        (
            Row(
                tuple(_cell_text(_cell(cells, places[name])) for name in present),
                json.dumps([_cell_text(cell) for cell in cells], ensure_ascii=False),
            )
            for cells in rows
            if any(cell not in (None, "") for cell in cells)
        ),
        present,
    )


def _sheet(frame: SpreadsheetFrame, content: io.BytesIO) -> Iterator[tuple[object, ...]]:
    """Rows of a sheet from its header on, cells as they are, read one by one."""
    import openpyxl  # noqa: PLC0415 - slow to import, needed for spreadsheets only

    try:
        _refuse_bomb(content)
        book = openpyxl.load_workbook(content, read_only=True, data_only=True)
        sheet = book[frame.sheet] if frame.sheet else book.worksheets[0]
        # The size a sheet states is not always the size it has.
        sheet.reset_dimensions()
        yield from islice(sheet.values, frame.skip_lines, None)
    except FileRefused:
        raise
    except Exception as error:
        # A damaged workbook makes its readers fail in every way there is; all of them mean that.
        raise FileRefused(QuarantineReason.MALFORMED_DOCUMENT, f"workbook: {error}") from error


def _cell(cells: tuple[object, ...], place: int) -> object:
    """Rows end with their last cell that is not empty."""
    return cells[place] if place < len(cells) else None


def _refuse_bomb(content: io.BytesIO) -> None:
    with zipfile.ZipFile(content) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
    # The texts of a workbook are held whole, its sheets are not.
    if sum(sizes.values()) > _LARGEST_SHEETS or sizes.get(_TEXTS, 0) > _LARGEST_TEXTS:
        raise FileRefused(
            QuarantineReason.DECOMPRESSION_LIMIT,
            f"the workbook has more than {_LARGEST_SHEETS} bytes of sheets, or {_LARGEST_TEXTS} "
            "of texts; have it sent as CSV",
        )


def _cell_text(cell: object) -> str | None:
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return None if cell is None else str(cell)
