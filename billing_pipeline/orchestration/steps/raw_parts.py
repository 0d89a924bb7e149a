"""Collect decoded files of one owner and landing day into parts of bounded size."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from billing_pipeline.lake import layout
from billing_pipeline.lake.store import Lake
from billing_pipeline.mediation.reach import Reach
from billing_pipeline.mediation.schema import RAW_USAGE, SET_ASIDE, SUSPENSE
from billing_pipeline.mediation.usage_days import reopened_days
from billing_pipeline.vocabulary.outcome import NotConserved, Outcome

ROWS_PER_FLUSH = 2_000_000


@dataclass(frozen=True)
class LoadedFile:
    """One file's equation and the usage days it touches."""

    file_id: int
    feed_key: str
    records: int
    accepted: int
    suspended: int
    filtered: int
    quantity: Decimal
    quantity_out: Decimal
    usage_days: pl.DataFrame
    reopened_days: frozenset[dt.date] = frozenset()


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
        self.files: list[LoadedFile] = []
        self.written: list[RawPart] = []

    def add(self, file_id: int, feed_key: str, blocks: Iterator[Outcome], reach: Reach) -> None:
        """Take one decoded file; its blocks are written as they come if it is large.

        Raises: what the decoder raises, and then nothing of the file is kept.
        """
        own: list[Outcome] = []
        parts: list[RawPart] = []
        tally = _Tally(reach)
        for block in blocks:
            tally.add(block)
            own.append(block)
            if _rows(own) >= ROWS_PER_FLUSH:
                parts += self._write(own)
                own = []
        self.files.append(tally.loaded_file(file_id, feed_key))
        self.written += parts
        self._buffer += own
        if _rows(self._buffer) >= ROWS_PER_FLUSH:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        self.written += self._write(self._buffer)
        self._buffer = []

    def _write(self, outcomes: list[Outcome]) -> list[RawPart]:
        if not outcomes:
            return []
        accepted = pl.concat([RAW_USAGE.conform(outcome.accepted) for outcome in outcomes])
        days = accepted.with_columns(_day=pl.col("started_at").dt.date()).partition_by(
            "_day", as_dict=True, include_key=False
        )
        suspended = pl.concat([SUSPENSE.conform(outcome.suspended) for outcome in outcomes])
        set_aside = pl.concat([SET_ASIDE.conform(outcome.filtered) for outcome in outcomes])
        return [
            *(
                self._part(layout.RAW_USAGE, rows, day.isoformat())
                for (day,), rows in sorted(days.items())
            ),
            *(
                self._part(frame, rows, "all")
                for frame, rows in (
                    (layout.DECODE_SUSPENSE, suspended),
                    (layout.DECODE_SET_ASIDE, set_aside),
                )
                if rows.height
            ),
        ]

    def _part(self, frame: str, rows: pl.DataFrame, group: str) -> RawPart:
        folder = layout.landed_folder(frame, self._tenant_key, self._landing_day)
        part = self._lake.write(rows, f"{folder}/{group}")
        name = part.path.rsplit("/", 1)[1]
        return RawPart(frame, f"{group}/{name}", part.path, part.rows, part.bytes)


def _rows(outcomes: list[Outcome]) -> int:
    return sum(part.height for outcome in outcomes for part in outcome)


class _Tally:
    """Counts a file's records and quantity while its blocks pass."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._reopened: set[dt.date] = set()
        self._highest = 0
        self._accepted = 0
        self._suspended = 0
        self._filtered = 0
        self._quantity = Decimal(0)
        self._days: list[pl.DataFrame] = []

    def add(self, block: Outcome) -> None:
        """Count one block; record numbers are the framing's own count of records."""
        numbers = [int(str(part["record_number"].max() or 0)) for part in block if part.height]
        self._highest = max([self._highest, *numbers])
        self._accepted += block.accepted.height
        self._reopened |= reopened_days(block.accepted, self._reach)
        self._suspended += block.suspended.height
        self._filtered += block.filtered.height
        self._quantity += sum(
            (Decimal(part["quantity"].sum() or 0) for part in block if part.height), Decimal(0)
        )
        self._days.append(
            block.accepted.group_by(usage_day=pl.col("started_at").dt.date()).agg(records=pl.len())
        )

    def loaded_file(self, file_id: int, feed_key: str) -> LoadedFile:
        """The file's equation.

        Raises: NotConserved if a record number has no row, or two.
        """
        total = self._accepted + self._suspended + self._filtered
        if total != self._highest:
            raise NotConserved(f"file {file_id}: {self._highest} records framed, {total} kept")
        days = pl.concat(self._days) if self._days else _NO_DAYS
        return LoadedFile(
            file_id=file_id,
            feed_key=feed_key,
            records=self._highest,
            accepted=self._accepted,
            suspended=self._suspended,
            filtered=self._filtered,
            quantity=self._quantity,
            quantity_out=self._quantity,
            usage_days=days.group_by("usage_day")
            .agg(pl.col("records").sum())
            .sort("usage_day")
            .cast({"records": pl.Int64}),
            reopened_days=frozenset(self._reopened),
        )


_NO_DAYS = pl.DataFrame(schema={"usage_day": pl.Date, "records": pl.UInt32})
