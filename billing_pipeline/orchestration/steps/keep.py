"""Write frames of one day to the lake, ready to be named current in the books."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from billing_pipeline.lake.layout import day_folder
from billing_pipeline.lake.store import Lake

CHUNKS = pl.Schema({"chunk": pl.String, "path": pl.String, "rows": pl.Int64, "bytes": pl.Int64})


class KeptFrame(NamedTuple):
    """Rows of one frame, tenant and day. No rows means that the partition becomes empty."""

    frame: str
    tenant_key: str
    rows: pl.DataFrame


class WrittenPartition(NamedTuple):
    """A partition whose parts are in the lake but not yet current."""

    frame: str
    tenant_key: str
    chunks: pl.DataFrame


def keep_frames(lake: Lake, kept: Sequence[KeptFrame], day: dt.date) -> list[WrittenPartition]:
    """Write each frame as one part; an empty frame is written nowhere."""
    return [
        WrittenPartition(frame, tenant_key, _chunks(lake, rows, day_folder(frame, tenant_key, day)))
        for frame, tenant_key, rows in kept
    ]


def _chunks(lake: Lake, rows: pl.DataFrame, folder: str) -> pl.DataFrame:
    if rows.is_empty():
        return pl.DataFrame(schema=CHUNKS)
    part = lake.write(rows, folder)
    return pl.DataFrame([("all", part.path, part.rows, part.bytes)], schema=CHUNKS, orient="row")
