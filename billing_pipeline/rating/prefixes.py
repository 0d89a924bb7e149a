"""Longest prefix by disjoint intervals: flattened once, then one binary search per number.

A number of k digits stands at `padded * 16 + k`, where `padded` is the number filled with zeros
to 15 digits. A prefix of L digits takes everything from `its padded * 16 + L` up to the next
prefix's zero-filled start. The k in the last place keeps a short number such as 112 out of the
longer prefix 1120, which is the same once padded.
"""

from dataclasses import dataclass

import polars as pl

LONGEST = 15
"""Digits of the longest E.164 number; digits after them never decide."""

_PLACES = 16
_NO_NUMBER = -1
_POWERS = pl.Series("power", [10**place for place in range(LONGEST + 1)], dtype=pl.Int64)


@dataclass(frozen=True)
class PrefixIndex:
    """Disjoint intervals in rising order: from `starts[i]` on, row `rows[i]` (null: none) holds."""

    starts: pl.Series
    rows: pl.Series

    def longest(self, numbers: pl.Series) -> pl.Series:
        """Row of the longest prefix of each number key, null if none. Shape: row by row."""
        return self.rows.gather(self.starts.search_sorted(numbers, side="right") - 1)


def number_key(number: pl.Expr) -> pl.Expr:
    """Sort key of a number given as digits; -1, which no prefix takes, if it is not all digits.

    Shape: row by row.
    """
    digits = number.str.slice(0, LONGEST)
    length = digits.str.len_bytes()
    padded = digits.cast(pl.Int64, strict=False) * pl.lit(_POWERS).gather(LONGEST - length)
    # A sign would pass the cast to an integer, and sorts before every digit; everything else
    # that is no digit fails the cast.
    return pl.when(digits >= "0").then(padded * _PLACES + length).fill_null(_NO_NUMBER)


def prefix_index(prefixes: pl.Series, rows: pl.Series) -> PrefixIndex:
    """Flatten nested prefixes to disjoint intervals; `rows` says what each prefix stands for.

    Prefixes are distinct and of at most 15 digits.
    """
    spans = pl.DataFrame({"prefix": prefixes, "row": rows.cast(pl.UInt32)}).with_columns(
        length=pl.col("prefix").str.len_bytes().cast(pl.Int64),
        digits=pl.col("prefix").replace("", "0").cast(pl.Int64),
    )
    power = pl.lit(_POWERS).gather(LONGEST - pl.col("length"))
    bounds = spans.select(
        start=pl.col("digits") * power * _PLACES + pl.col("length"),
        end=(pl.col("digits") + 1) * power * _PLACES,
    )
    starts = bounds["start"].append(bounds["end"]).unique().sort()
    nothing = pl.Series("start", [_NO_NUMBER]), pl.Series("row", [None], dtype=pl.UInt32)
    return PrefixIndex(
        pl.concat([nothing[0], starts]), pl.concat([nothing[1], _longest_at(starts, spans)])
    )


def _longest_at(starts: pl.Series, spans: pl.DataFrame) -> pl.Series:
    """Row of the longest prefix that takes each start: one small join per length of prefix."""
    points = starts.to_frame("start").select(
        padded=pl.col("start") // _PLACES, digits=pl.col("start") % _PLACES
    )
    found = pl.repeat(None, points.height, dtype=pl.UInt32, eager=True)
    for length in sorted(spans.get_column("length").unique().to_list()):
        power = 10 ** (LONGEST - length)
        reaches = (pl.col("padded") % power != 0) | (pl.col("digits") >= length)
        rows = (
            points.select(pl.when(reaches).then(pl.col("padded") // power).alias("digits"))
            .join(
                spans.filter(pl.col("length") == length).select("digits", "row"),
                on="digits",
                how="left",
                validate="m:1",
                maintain_order="left",
            )
            .get_column("row")
        )
        found = rows.zip_with(rows.is_not_null(), found)
    return found.alias("row")
