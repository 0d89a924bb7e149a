"""Decode several small files of a feed as one block: the cost of a block is paid once.

Each record is judged exactly as if its file had been decoded alone: reading, verdicts and flags
look at one record at a time, and what is judged of a file as a whole is judged per file.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import IO, NamedTuple

import polars as pl

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.decode import check_columns, check_error_share
from billing_pipeline.mediation.framing.blocks import REJECTS, FramedBlock
from billing_pipeline.mediation.framing.framing import framed_blocks
from billing_pipeline.mediation.normalise import STRUCTURAL, Source, normalise
from billing_pipeline.mediation.plan import plan_of
from billing_pipeline.mediation.refusal import FileRefused
from billing_pipeline.vocabulary.frames import UTC_INSTANT
from billing_pipeline.vocabulary.outcome import Outcome

MOST_BYTES = 64 * 1024
"""Files up to this size, as they were uploaded, may be decoded together."""

_MOST_TEXT = 4 * 1024 * 1024


class FramedFile(NamedTuple):
    """A small file cut into records, and the instant it landed."""

    file_key: str
    landed_at: dt.datetime
    block: FramedBlock

    @property
    def records(self) -> int:
        """Records the framing cut."""
        return self.block.records


class DecodedTogether(NamedTuple):
    """The outcome of all files that were not refused, and why the others were."""

    outcome: Outcome
    refused: dict[str, FileRefused]


def is_decoded_together(feed: Feed) -> bool:
    """Whether files of the feed may share a block: nothing in them speaks of the whole file."""
    return feed.checks.trailer is None


def framed_alone(
    feed: Feed, stream: IO[bytes], file_key: str, landed_at: dt.datetime
) -> FramedFile | None:
    """The file as one block; None if it is more than that after all.

    Raises: FileRefused for a file that is not of the feed.
    """
    blocks = framed_blocks(feed, stream)
    block = next(blocks, None)
    if block is None or block.columns.estimated_size() > _MOST_TEXT or next(blocks, None):
        return None
    check_columns(feed, block.names)
    if not block.records:
        return None
    return FramedFile(file_key, landed_at, block)


def decode_together(feed: Feed, files: Sequence[FramedFile]) -> DecodedTogether:
    """Every record of the files in exactly one frame, under its own file and number."""
    alike: dict[tuple[str, ...], list[FramedFile]] = {}
    for file in files:
        shape = (*file.block.names, "\0", *file.block.columns.columns)
        alike.setdefault(shape, []).append(file)
    outcomes = [_decoded(feed, group) for group in alike.values()]
    together = Outcome(*(pl.concat(parts) for parts in zip(*outcomes, strict=True)))
    refused = dict(_refusals(feed, files, together.suspended))
    kept = ~pl.col("file_key").is_in(list(refused))
    return DecodedTogether(Outcome(*(part.filter(kept) for part in together)), refused)


def _decoded(feed: Feed, files: list[FramedFile]) -> Outcome:
    """Records get running numbers over all files, and their own back afterwards."""
    ends = pl.Series([file.records for file in files], dtype=pl.Int64).cum_sum()
    starts = pl.Series("start", [0, *ends.to_list()[:-1]], dtype=pl.Int64)
    numbers = pl.concat(
        [
            file.block.numbers.cast(pl.Int64) + start
            for file, start in zip(files, starts, strict=True)
        ]
    )
    landed = pl.concat(
        [
            pl.repeat(file.landed_at, file.block.numbers.len(), dtype=UTC_INSTANT, eager=True)
            for file in files
        ]
    )
    outcome = normalise(plan_of(feed), _joined(files, starts, numbers), Source("", landed)).outcome
    keys = pl.Series("file_key", [file.file_key for file in files], dtype=pl.String)
    return Outcome(*(_own_numbers(part, keys, starts) for part in outcome))


def _joined(files: list[FramedFile], starts: pl.Series, numbers: pl.Series) -> FramedBlock:
    blocks = [file.block for file in files]
    rejects = [
        block.rejects.with_columns(pl.col("record_number") + start)
        for block, start in zip(blocks, starts, strict=True)
    ]
    return FramedBlock(
        columns=pl.concat([block.columns for block in blocks]),
        names=blocks[0].names,
        numbers=numbers,
        raw=lambda: pl.concat([block.raw() for block in blocks]),
        rejects=pl.concat([pl.DataFrame(schema=REJECTS), *rejects]),
        flags=_flags(blocks),
        is_trimmed=all(block.is_trimmed for block in blocks),
    )


def _flags(blocks: Iterable[FramedBlock]) -> pl.Series | None:
    given = [
        block.flags
        if block.flags is not None
        else pl.repeat(None, block.numbers.len(), dtype=pl.String, eager=True)
        for block in blocks
    ]
    joined = pl.concat(given)
    return joined if joined.null_count() < joined.len() else None


def _own_numbers(part: pl.DataFrame, keys: pl.Series, starts: pl.Series) -> pl.DataFrame:
    if part.is_empty():
        return part
    at = starts.search_sorted(part["record_number"] - 1, side="right") - 1
    return part.with_columns(
        file_key=keys.gather(at), record_number=part["record_number"] - starts.gather(at)
    )


def _refusals(
    feed: Feed, files: Sequence[FramedFile], suspended: pl.DataFrame
) -> Iterable[tuple[str, FileRefused]]:
    structural = suspended.filter(pl.col("reason").is_in(list(STRUCTURAL)))
    errors = dict(structural.group_by("file_key").len().rows())
    for file in files:
        try:
            check_error_share(feed, errors.get(file.file_key, 0), file.records)
        except FileRefused as refusal:
            yield file.file_key, refusal
