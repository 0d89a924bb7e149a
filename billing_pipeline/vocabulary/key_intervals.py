"""Overlapping intervals of keys cut into pieces that do not overlap, each with what covers it."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class KeyIntervals:
    """`starts` begin the pieces, in order; `covers` has one row per `piece` and `row` over it."""

    starts: pl.Series
    covers: pl.DataFrame

    def piece_of(self, keys: pl.Series) -> pl.Series:
        """The piece each key lies in; null before the first one and for a null key.

        Shape: row by row.
        """
        place = self.starts.search_sorted(keys.fill_null(""), side="right").cast(pl.Int64) - 1
        return place.zip_with((place >= 0) & keys.is_not_null(), pl.Series([None], dtype=pl.Int64))


def key_intervals(rows: pl.Series, first: pl.Series, end: pl.Series) -> KeyIntervals:
    """Cut the intervals `[first, end)` of `rows` at every bound of any of them."""
    starts = pl.concat([first, end]).unique().sort()
    pieces = pl.DataFrame(
        {
            "row": rows,
            "piece": pl.select(
                pl.int_ranges(
                    starts.search_sorted(first, side="left").cast(pl.Int64),
                    starts.search_sorted(end, side="left").cast(pl.Int64),
                )
            ).to_series(),
        }
    )
    return KeyIntervals(starts, pieces.explode("piece").select("piece", "row"))
