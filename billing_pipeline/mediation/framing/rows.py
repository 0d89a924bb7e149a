"""Blocks from records that a document reader hands over one by one, in bounded batches."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import polars as pl

from billing_pipeline.mediation.framing.blocks import RAW_KEPT, REJECTS, FramedBlock

BATCH = 50_000
_BATCH_CHARACTERS = 32 * 1024 * 1024


class Row(NamedTuple):
    """One record: texts of the wanted places, how it stood, and why it is none (or null)."""

    values: tuple[str | None, ...]
    raw: str
    reason: str | None = None
    detail: str | None = None


def row_blocks(rows: Iterable[Row], names: list[str]) -> Iterator[FramedBlock]:
    """Blocks of numbered records with the columns `names`."""
    records = 0
    for batch in _batches(rows):
        frame = pl.DataFrame(
            [(*row.values, row.raw, row.reason, row.detail) for row in batch],
            schema=dict.fromkeys([*names, _RAW, _REASON, _DETAIL], pl.String),
            orient="row",
        ).with_columns(
            (records + 1 + pl.int_range(pl.len(), dtype=pl.Int64)).alias("record_number")
        )
        records += frame.height
        yield _block(frame, names)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in lists of bounded length, whether they are many or long."""
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += len(row.raw)
        if len(batch) == BATCH or characters > _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


_RAW, _REASON, _DETAIL = "\0raw", "\0reason", "\0detail"


def _block(frame: pl.DataFrame, names: list[str]) -> FramedBlock:
    good = frame.filter(pl.col(_REASON).is_null())
    bad = frame.filter(pl.col(_REASON).is_not_null())
    return FramedBlock(
        columns=good.select(names),
        names=names,
        numbers=good["record_number"],
        raw=lambda: good[_RAW],
        rejects=bad.select(
            "record_number",
            pl.col(_REASON).alias("reason"),
            pl.col(_DETAIL).alias("detail"),
            pl.col(_RAW).str.slice(0, RAW_KEPT).alias("raw"),
        ).cast(REJECTS),
    )
