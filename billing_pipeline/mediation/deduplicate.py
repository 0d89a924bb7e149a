"""Duplicates, conflicts and superseded records: one identity inside a feed is one event."""

import polars as pl

from billing_pipeline.vocabulary.outcome import SuspenseReason

DUPLICATE = "duplicate"
SUPERSEDED = "superseded"

ORDER = ("feed_key", "file_key", "record_number")
"""The stable order of records, independent of when their files came."""

MOST_RUNS = 256
"""Records in more runs than this, as a mixture of files has them, are sorted one by one."""

CONTENT = (
    "usage_type",
    "service_identifier",
    "direction",
    "origin",
    "destination",
    "started_at",
    "quantity",
    "unit",
    "carried_amount",
    "attributes",
    "record_kind",
    "version",
    "session_part",
)
"""What must be equal for two records of one identity to be the same record."""


def in_order(records: pl.DataFrame) -> pl.DataFrame:
    """The records in ORDER.

    They come in runs that are in order, a file or a part of one each: mostly it is enough to put
    the runs into theirs, and a single one stays as it is.
    """
    starts = records.select((~_follows()).arg_true()).to_series().to_list()
    if len(starts) <= 1:
        return records
    if len(starts) > MOST_RUNS:
        return records.sort(*ORDER)
    ends = [*starts[1:], records.height]
    firsts = records.select(ORDER)[starts].with_columns(
        start=pl.Series(starts), end=pl.Series(ends)
    )
    ordered = firsts.sort(*ORDER)
    runs = [
        records.slice(start, end - start)
        for start, end in zip(ordered["start"], ordered["end"], strict=True)
    ]
    joined = pl.concat(runs, rechunk=True)
    is_ordered = joined.select(_follows().slice(1).all()).item()
    return joined if is_ordered else joined.sort(*ORDER)


def _follows() -> pl.Expr:
    """Whether a record comes after the one before it; the first comes after none."""
    feed, file, number = (pl.col(name) for name in ORDER)
    follows = (feed > feed.shift(1)) | (
        (feed == feed.shift(1))
        & ((file > file.shift(1)) | ((file == file.shift(1)) & (number > number.shift(1))))
    )
    return follows.fill_null(value=False)


def repeated_records(raw_usage: pl.DataFrame) -> pl.DataFrame:
    """Records that do not stand: `at` (row), `aside` (duplicate, superseded), `reason` (conflict).

    Shape: one row per such record, in the order of `raw_usage`; one of `aside` and `reason` is
    null. Of equal records the first by file and record stands. Of one identity with different
    content the greatest version stands and the others are superseded; without a version the
    first stands and the others are conflicts.
    """
    groups = [pl.col("feed_key"), pl.col("identity"), _kind()]
    # Nearly all identities occur once; their hashes tell which, and which may not.
    at = raw_usage.select(pl.col("identity").hash().is_duplicated().arg_true()).to_series()
    candidates = raw_usage.select(*ORDER, "identity", *CONTENT)[at].with_columns(at=at)
    repeated = candidates.filter(pl.len().over(groups) > 1).sort(*ORDER)
    does_stand = pl.col("aside").is_null() & pl.col("reason").is_null()
    return _judged(repeated, groups).filter(~does_stand).sort("at")


def without_repeated(raw_usage: pl.DataFrame, repeats: pl.DataFrame) -> pl.DataFrame:
    """The records that stand."""
    if repeats.is_empty():
        return raw_usage
    stands = pl.repeat(True, raw_usage.height, dtype=pl.Boolean, eager=True)  # noqa: FBT003
    return raw_usage.filter(stands.scatter(repeats["at"], False))  # noqa: FBT003


def _kind() -> pl.Expr:
    """A reversal is no duplicate of what it takes back; parts of a session differ by part."""
    return pl.concat_str(
        pl.col("record_kind").fill_null(""), pl.col("session_part").fill_null("")
    ).alias("kind")


def _judged(repeated: pl.DataFrame, groups: list[pl.Expr]) -> pl.DataFrame:
    content = pl.struct(*groups, *CONTENT)
    newest = pl.col("version").max().over(groups)
    # Equal versions with other content cannot be told apart: the first stands, as without one.
    marked = repeated.with_columns(
        is_repeat=~content.is_first_distinct(),
        is_old=(pl.col("version") < newest).fill_null(value=False),
    ).with_columns(stands=~pl.col("is_repeat") & ~pl.col("is_old"))
    is_first = pl.struct("stands", *groups).is_first_distinct()
    return marked.select(
        "at",
        pl.when("is_repeat")
        .then(pl.lit(DUPLICATE))
        .when("is_old")
        .then(pl.lit(SUPERSEDED))
        .alias("aside"),
        pl.when(pl.col("stands") & ~is_first)
        .then(pl.lit(SuspenseReason.CONFLICTING_DUPLICATE.value))
        .alias("reason"),
    )
