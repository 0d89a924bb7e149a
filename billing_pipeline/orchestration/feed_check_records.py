"""The records of a feed's check: laid aside block by block, taken in pieces of bounded size."""

from collections.abc import Iterable, Iterator

import polars as pl

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.lake.heaps import Heaps
from billing_pipeline.mediation.pieces import NO_LINKS, hashed_keys, in_pieces, links_between
from billing_pipeline.mediation.schema import RAW_USAGE
from billing_pipeline.orchestration.steps.day_pieces import MOST_WHOLE, RECORDS_PER_PIECE


class RecordsAside:
    """RAW_USAGE of all files that are checked together, on local disk."""

    def __init__(self, feed: Feed, blocks: Heaps, pieces: Heaps) -> None:
        self._has_sessions = feed.assemble is not None
        self._blocks = blocks
        self._pieces = pieces
        self._keys: dict[int, pl.DataFrame] = {}
        self._rows: dict[int, int] = {}

    def put(self, rows: pl.DataFrame) -> int:
        """Lay a block aside; return its number."""
        number = len(self._rows)
        self._rows[number] = rows.height
        self._blocks.put(number, rows)
        # Without sessions an identity is alone.
        if self._has_sessions:
            self._keys[number] = rows.select(hashed_keys())
        return number

    def forget(self, numbers: Iterable[int]) -> None:
        """Leave out blocks of a file that was refused after they had been read."""
        for number in numbers:
            self._rows[number] = 0
            self._keys.pop(number, None)
            self._blocks.take(number)

    def taken(self) -> Iterator[pl.DataFrame]:
        """All records once; those that may concern each other lie in one piece."""
        whole = sum(self._rows.values())
        blocks = (self._blocks.take(number) for number in self._rows)
        if whole <= MOST_WHOLE:
            yield pl.concat([RAW_USAGE.empty(), *blocks])
            return
        count = -(-whole // RECORDS_PER_PIECE)
        links = links_between(pl.concat(self._keys.values())) if self._keys else NO_LINKS
        for rows in blocks:
            for piece, part in in_pieces(rows, links, count).items():
                self._pieces.put(piece, part)
        for piece in range(count):
            yield self._pieces.take(piece)
