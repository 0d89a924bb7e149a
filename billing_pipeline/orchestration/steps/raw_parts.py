"""Collect decoded files of one owner and landing day into parts of bounded size."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from billing_pipeline.books.usage_schema import FILE_DAYS
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.lake import layout
from billing_pipeline.lake.store import Lake
from billing_pipeline.mediation.reach import reach_of
from billing_pipeline.mediation.schema import RAW_USAGE, SET_ASIDE, SUSPENSE
from billing_pipeline.mediation.usage_days import reopened_days
from billing_pipeline.orchestration.steps.file_tally import (
    DECODED_FILES,
    DecodedFile,
    FileIn,
    Tally,
    decoded_files,
)
from billing_pipeline.vocabulary.frames import FrameSchema, parts_by
from billing_pipeline.vocabulary.money import QUANTITY
from billing_pipeline.vocabulary.outcome import NotConserved, Outcome

ROWS_PER_FLUSH = 500_000
_LIVES = ["feed_key", "file_key", "record_number", "reason"]
_FACTS = ["service_identifier", "started_at", "quantity"]


class RawPart(NamedTuple):
    """One part of a frame, not yet current."""

    frame: str
    chunk: str
    path: str
    rows: int
    bytes: int


class RawParts:
    """Buffers decoded rows and writes them to the lake by usage day.

    A file that is refused half-way leaves nothing behind: its rows join only when it is whole,
    or, when it is large, as parts that are forgotten with it.
    """

    def __init__(self, lake: Lake, tenant_key: str, landing_day: dt.date) -> None:
        self._lake = lake
        self._tenant_key = tenant_key
        self._landing_day = landing_day
        self._buffer: list[Outcome] = []
        self._kept: list[pl.DataFrame] = []
        self._suspended: list[pl.DataFrame] = []
        self.files: list[DecodedFile] = []
        self.written: list[RawPart] = []
        self.reopened_days: set[dt.date] = set()

    def add(self, file_id: int, feed: Feed, file_key: str, blocks: Iterator[Outcome]) -> None:
        """Take one decoded file; its blocks are written as they come if it is large.

        Raises: what the decoder raises, and then nothing of the file is kept.
        """
        own: list[Outcome] = []
        parts: list[RawPart] = []
        tally = Tally()
        reach, reopened = reach_of(feed), set[dt.date]()
        for block in blocks:
            tally.add(block)
            reopened |= reopened_days(block.accepted, reach)
            own.append(block)
            if _rows(own) >= ROWS_PER_FLUSH:
                parts += self._write(own)
                own = []
        self.files.append(tally.decoded_file(file_id, feed, file_key))
        self.written += parts
        self.reopened_days |= reopened
        self._buffer += own
        if _rows(self._buffer) >= ROWS_PER_FLUSH:
            self.flush()

    def add_together(self, feed: Feed, files: Sequence[FileIn], outcome: Outcome) -> None:
        """Take several small files of one feed that were decoded together.

        Raises: NotConserved if one of them has not every record in exactly one frame.
        """
        self.files += decoded_files(feed, files, outcome)
        self.reopened_days |= reopened_days(outcome.accepted, reach_of(feed))
        self._buffer.append(outcome)
        if _rows(self._buffer) >= ROWS_PER_FLUSH:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        self.written += self._write(self._buffer)
        self._buffer = []

    def loaded_files(self) -> pl.DataFrame:
        """LOADED_FILES with feed_key and file_key: what was decoded beside what the lake keeps.

        Raises: NotConserved if the lake keeps more or less of a file than was decoded of it.
        """
        decoded = pl.DataFrame([vars(file) for file in self.files], schema=DECODED_FILES)
        kept = self._kept_by("feed_key", "file_key")
        judged = decoded.join(
            kept, on=["feed_key", "file_key"], how="left", validate="1:1"
        ).with_columns(pl.col("rows_kept", "quantity_kept").fill_null(0))
        _assert_kept(judged.filter(pl.col("records") > 0))
        return judged.filter(pl.col("records") > 0).drop("rows_kept")

    def usage_days(self) -> pl.DataFrame:
        """FILE_DAYS of the loaded files: on which days the lake keeps records of them."""
        ids = pl.DataFrame(
            [(file.file_id, file.feed_key, file.file_key) for file in self.files],
            schema={"file_id": pl.Int64, "feed_key": pl.String, "file_key": pl.String},
            orient="row",
        )
        days = self._kept_by("feed_key", "file_key", "usage_day").drop_nulls("usage_day")
        return FILE_DAYS.conform(
            days.join(ids, on=["feed_key", "file_key"], validate="m:1")
            .select("file_id", "usage_day", records="rows_kept")
            .sort("file_id", "usage_day")
        )

    def suspended(self) -> pl.DataFrame:
        """What is suspended of the loaded files, without the raw text."""
        keys = [file.file_key for file in self.files]
        empty = SUSPENSE.empty().select(_LIVES + _FACTS)
        return pl.concat([empty, *self._suspended]).filter(pl.col("file_key").is_in(keys))

    def _kept_by(self, *keys: str) -> pl.DataFrame:
        return (
            pl.concat([_NOTHING_KEPT, *self._kept])
            .group_by(keys, maintain_order=True)
            .agg(pl.col("rows_kept", "quantity_kept").sum())
        )

    def _write(self, outcomes: list[Outcome]) -> list[RawPart]:
        if not outcomes:
            return []
        accepted = pl.concat([RAW_USAGE.conform(outcome.accepted) for outcome in outcomes])
        days = parts_by(accepted, accepted.get_column("started_at").dt.date())
        suspended = pl.concat([SUSPENSE.conform(outcome.suspended) for outcome in outcomes])
        set_aside = pl.concat([SET_ASIDE.conform(outcome.filtered) for outcome in outcomes])
        self._suspended.append(suspended.select(_LIVES + _FACTS))
        raw = [self._part(layout.RAW_USAGE, rows, day.isoformat()) for day, rows in days]
        others = [
            (schema, self._part(frame, rows, "all"))
            for frame, schema, rows in (
                (layout.DECODE_SUSPENSE, SUSPENSE, suspended),
                (layout.DECODE_SET_ASIDE, SET_ASIDE, set_aside),
            )
            if rows.height
        ]
        self._read_back(RAW_USAGE, raw, pl.col("started_at").dt.date())
        for schema, part in others:
            self._read_back(schema, [part], pl.lit(None, pl.Date))
        return [*raw, *(part for _, part in others)]

    def _part(self, frame: str, rows: pl.DataFrame, group: str) -> RawPart:
        folder = layout.landed_folder(frame, self._tenant_key, self._landing_day)
        part = self._lake.write(rows, f"{folder}/{group}")
        name = part.path.rsplit("/", 1)[1]
        return RawPart(frame, f"{group}/{name}", part.path, part.rows, part.bytes)

    def _read_back(self, schema: FrameSchema, parts: list[RawPart], usage_day: pl.Expr) -> None:
        """Count what the lake really keeps of each file: a sum of what was sent proves nothing."""
        kept = (
            self._lake.scan([part.path for part in parts], schema)
            .group_by("feed_key", "file_key", usage_day=usage_day)
            .agg(
                pl.len().cast(pl.Int64).alias("rows_kept"),
                pl.col("quantity").sum().alias("quantity_kept"),
            )
            .sort("feed_key", "file_key", "usage_day")
            .collect()
        )
        self._kept.append(kept.select(_NOTHING_KEPT.columns).cast(_NOTHING_KEPT.schema))


def _rows(outcomes: list[Outcome]) -> int:
    return sum(part.height for outcome in outcomes for part in outcome)


def _assert_kept(judged: pl.DataFrame) -> None:
    wrong = judged.filter(
        (pl.col("records") != pl.col("rows_kept")) | (pl.col("quantity") != pl.col("quantity_kept"))
    )
    if wrong.height:
        first = wrong.row(0, named=True)
        raise NotConserved(
            f"file {first['file_id']}: {first['records']} records and quantity "
            f"{first['quantity']} were decoded, the lake keeps {first['rows_kept']} and "
            f"{first['quantity_kept']}; nothing of this batch is loaded"
        )


_NOTHING_KEPT = pl.DataFrame(
    schema={
        "feed_key": pl.String,
        "file_key": pl.String,
        "usage_day": pl.Date,
        "rows_kept": pl.Int64,
        "quantity_kept": QUANTITY,
    }
)
