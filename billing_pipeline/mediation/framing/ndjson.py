"""One JSON object per line."""

from collections.abc import Iterator
from typing import IO

import polars as pl

from billing_pipeline.catalog.feed_frames import NdjsonFrame
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.framing.json_paths import json_columns
from billing_pipeline.mediation.framing.lines import rejects_of, text_lines


def ndjson_blocks(frame: NdjsonFrame, stream: IO[bytes], paths: list[str]) -> Iterator[FramedBlock]:
    """Records of a file of JSON lines; columns are the wanted paths."""
    records = 0
    for lines in text_lines(
        stream, frame.encoding, frame.fallback_encoding, frame.max_record_bytes
    ):
        numbered = lines.with_columns(
            record_number=records + 1 + pl.int_range(pl.len(), dtype=pl.Int64)
        )
        records += lines.height
        yield _block(numbered, paths)


def _block(numbered: pl.DataFrame, paths: list[str]) -> FramedBlock:
    text = numbered.filter(pl.col("reason").is_null())
    read = json_columns(text["line"].str.strip_chars(), paths)
    judged = text.with_columns(reason=read["json reason"], detail=read["json detail"])
    is_good = judged["reason"].is_null()
    good = judged.filter(is_good)
    bad = pl.concat(
        [
            numbered.filter(pl.col("reason").is_not_null()).with_columns(
                detail=pl.lit(None, pl.String)
            ),
            judged.filter(~is_good).select([*numbered.columns, "detail"]),
        ]
    ).sort("record_number")
    return FramedBlock(
        columns=read.filter(is_good).drop("json reason", "json detail"),
        names=paths,
        numbers=good["record_number"],
        raw=lambda: good["line"],
        rejects=rejects_of(bad),
        flags=good["flag"] if good["flag"].null_count() < good.height else None,
    )
