"""A file's equation as its records come out of the decoder, alone or with others."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.vocabulary.money import QUANTITY
from billing_pipeline.vocabulary.outcome import NotConserved, Outcome


@dataclass(frozen=True)
class DecodedFile:
    """One file's equation as its records came out of the decoder."""

    file_id: int
    feed_key: str
    file_key: str
    records: int
    accepted: int
    suspended: int
    filtered: int
    quantity: Decimal
    feed_valid_from: dt.date | None


class FileIn(NamedTuple):
    """A file among several decoded together, with the records its framing cut."""

    file_id: int
    file_key: str
    records: int


class Tally:
    """Counts a file's records and quantity while its blocks pass."""

    def __init__(self) -> None:
        self._highest = 0
        self._accepted = 0
        self._suspended = 0
        self._filtered = 0
        self._quantity = Decimal(0)

    def add(self, block: Outcome) -> None:
        """Count one block; record numbers are the framing's own count of records."""
        numbers = [int(str(part["record_number"].max() or 0)) for part in block if part.height]
        self._highest = max([self._highest, *numbers])
        self._accepted += block.accepted.height
        self._suspended += block.suspended.height
        self._filtered += block.filtered.height
        self._quantity += sum(
            (Decimal(part["quantity"].sum() or 0) for part in block if part.height), Decimal(0)
        )

    def decoded_file(self, file_id: int, feed: Feed, file_key: str) -> DecodedFile:
        """The file's equation.

        Raises: NotConserved if a record number has no row, or two.
        """
        return _balanced(
            DecodedFile(
                file_id=file_id,
                feed_key=feed.key,
                file_key=file_key,
                records=self._highest,
                accepted=self._accepted,
                suspended=self._suspended,
                filtered=self._filtered,
                quantity=self._quantity,
                feed_valid_from=feed.valid_from,
            )
        )


def decoded_files(feed: Feed, files: Sequence[FileIn], outcome: Outcome) -> list[DecodedFile]:
    """The equations of several files of a feed that were decoded together.

    Raises: NotConserved if one of them has not every record in exactly one frame.
    """
    accepted, suspended, filtered = (
        dict(part.group_by("file_key").len().rows())
        for part in (outcome.accepted, outcome.suspended, outcome.filtered)
    )
    every = pl.concat([part.select("file_key", "quantity") for part in outcome])
    quantities = dict(every.group_by("file_key").agg(pl.col("quantity").sum()).rows())
    return [
        _balanced(
            DecodedFile(
                file_id=file.file_id,
                feed_key=feed.key,
                file_key=file.file_key,
                records=file.records,
                accepted=accepted.get(file.file_key, 0),
                suspended=suspended.get(file.file_key, 0),
                filtered=filtered.get(file.file_key, 0),
                quantity=quantities.get(file.file_key) or Decimal(0),
                feed_valid_from=feed.valid_from,
            )
        )
        for file in files
    ]


def _balanced(file: DecodedFile) -> DecodedFile:
    total = file.accepted + file.suspended + file.filtered
    if total != file.records:
        raise NotConserved(f"file {file.file_id}: {file.records} records framed, {total} kept")
    return file


DECODED_FILES = pl.DataFrame(
    schema={
        "file_id": pl.Int64,
        "feed_key": pl.String,
        "file_key": pl.String,
        "records": pl.Int64,
        "accepted": pl.Int64,
        "suspended": pl.Int64,
        "filtered": pl.Int64,
        "quantity": QUANTITY,
        "feed_valid_from": pl.Date,
    }
).schema
