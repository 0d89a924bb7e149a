"""Which prefixes, ranges and identifiers cover one another at the same time."""

import polars as pl

from billing_pipeline.vocabulary.identifier_keys import numbers_of_prefix, prefix_key, range_key
from billing_pipeline.vocabulary.key_intervals import key_intervals
from billing_pipeline.vocabulary.problems import ROW

_COLUMNS = ("identifier", "status", "place", "valid_from", "valid_until", "first", "end", "is_own")


def pattern_pairs(mine: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Pairs of patterns in force together that leave open which is the narrower.

    `relation` is `same`, `crossing`, `inside` for a prefix inside a range, or `around` for a range
    around a prefix of others. Each pair once, told by the row of `mine` (the later one, where both
    are of one file); `others` are the same frame, or rows of other files. Shape: with `first`,
    `end` and `place`; ROW of `mine` is kept.
    """
    rows = _patterns(mine, others)
    given = _as_ranges(rows)
    intervals = key_intervals(given["at"], given["first"], given["end"])
    both = (
        intervals.covers.join(intervals.covers, on="piece", suffix="_other")
        .filter(pl.col("row") != pl.col("row_other"))
        .select(at="row", at_other="row_other")
        .unique()
    )
    pairs = _joined(both, given).filter(
        pl.col("pattern") != pl.col("pattern_other"), is_together(), _is_told_here()
    )
    return pairs.with_columns(relation=_relation()).filter(pl.col("relation").is_not_null())


def covered_pairs(mine: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Rows of `mine` with the patterns of `others` they lie in at the same time."""
    patterns = others.filter(pl.col("first").is_not_null()).with_row_index("at")
    if not patterns.height:
        return _joined_empty(mine, patterns)
    intervals = key_intervals(patterns["at"], patterns["first"], patterns["end"])
    places = pl.concat(
        mine.select(
            ROW, key=pl.when(pl.col("match") == "exact").then(key).otherwise(pl.col("first"))
        )
        for key in (range_key(pl.col("identifier")), prefix_key(pl.col("identifier")))
    ).unique()
    found = (
        places.with_columns(piece=intervals.piece_of(places["key"]))
        .join(intervals.covers, on="piece", how="inner")
        .select(ROW, at=pl.col("row_right"))
        .unique()
    )
    return (
        found.join(mine, on=ROW, how="left")
        .join(patterns, on="at", how="left", suffix="_other")
        .filter(is_together(), pl.col("identifier") != pl.col("identifier_other"))
        .sort(ROW, "at")
    )


def _joined_empty(mine: pl.DataFrame, patterns: pl.DataFrame) -> pl.DataFrame:
    return mine.join(patterns, how="cross", suffix="_other")


def _patterns(mine: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    own = mine.with_columns(is_own=pl.lit(value=True))
    every = (
        own
        if mine is others
        else pl.concat([own, others.with_columns(is_own=pl.lit(value=False))], how="diagonal")
    )
    return every.filter(pl.col("first").is_not_null()).with_row_index("pattern")


def _as_ranges(patterns: pl.DataFrame) -> pl.DataFrame:
    """Every pattern, and each prefix once more as the numbers it takes of every length in use."""
    ranges = patterns.filter(pl.col("first").str.starts_with("n"))
    lengths = ranges.select(length=pl.col("first").str.slice(1, 3).cast(pl.Int64)).unique()
    prefixes = patterns.filter(pl.col("first").str.starts_with("p")).join(lengths, how="cross")
    first, end = numbers_of_prefix(pl.col("identifier"), pl.col("length"))
    numbers = prefixes.with_columns(first=first, end=end).drop("length").drop_nulls("first")
    return pl.concat(
        [
            patterns.with_columns(is_numbers=pl.lit(value=False)),
            numbers.with_columns(is_numbers=pl.lit(value=True)),
        ]
    ).with_row_index("at")


def _joined(pairs: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    kept = ("at", "pattern", "is_numbers", *_COLUMNS)
    other = given.select(pl.col(kept).name.suffix("_other"))
    return (
        pairs.join(given.select(*kept, ROW), on="at", how="left", validate="m:1")
        .join(other, on="at_other", how="left", validate="m:1")
        .sort("pattern", "pattern_other", "at", "at_other")
    )


def is_together() -> pl.Expr:
    """Whether the spans of a row and of its `_other` have an instant in common."""
    return (pl.col("valid_from") < pl.col("valid_until_other")).fill_null(value=True) & (
        pl.col("valid_from_other") < pl.col("valid_until")
    ).fill_null(value=True)


def _is_told_here() -> pl.Expr:
    """Of two rows of one file the later tells; a row of another file never does."""
    is_later = pl.col("pattern") > pl.col("pattern_other")
    is_prefix = pl.col("is_numbers")
    both_plain = ~is_prefix & ~pl.col("is_numbers_other")
    is_foreign = ~pl.col("is_own_other")
    return pl.col("is_own") & (
        (both_plain & (is_later | is_foreign))
        | (is_prefix & ~pl.col("is_numbers_other"))
        | (~is_prefix & pl.col("is_numbers_other") & is_foreign)
    )


def _relation() -> pl.Expr:
    first, end = pl.col("first"), pl.col("end")
    first_other, end_other = pl.col("first_other"), pl.col("end_other")
    is_same = (first == first_other) & (end == end_other)
    contains = (first <= first_other) & (end >= end_other)
    is_inside = (first >= first_other) & (end <= end_other)
    return (
        pl.when((pl.col("is_numbers") & contains) | (pl.col("is_numbers_other") & is_inside))
        .then(pl.lit(None, pl.String))
        .when(pl.col("is_numbers") & is_inside)
        .then(pl.lit("inside"))
        .when(pl.col("is_numbers_other") & contains)
        .then(pl.lit("around"))
        .when(is_same & (pl.col("identifier") != pl.col("identifier_other")))
        .then(pl.lit("same"))
        .when(~contains & ~is_inside)
        .then(pl.lit("crossing"))
    )
