"""Duplicates, conflicts and superseded records: one identity inside a feed is one event."""

import polars as pl

from billing_pipeline.vocabulary.outcome import SuspenseReason

DUPLICATE = "duplicate"
SUPERSEDED = "superseded"

ORDER = ("feed_key", "file_key", "record_number")
"""The stable order of records, independent of when their files came."""

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
    """The records in ORDER; those that are already, as most files are, are not sorted again."""
    feed, file, number = (pl.col(name) for name in ORDER)
    follows = (feed > feed.shift(1)) | (
        (feed == feed.shift(1))
        & ((file > file.shift(1)) | ((file == file.shift(1)) & (number > number.shift(1))))
    )
    is_ordered = records.select(follows.slice(1).all()).item()
    return records if is_ordered else records.sort(*ORDER)


def duplicate_verdict(raw_usage: pl.DataFrame) -> pl.DataFrame:
    """Per record `aside` (duplicate, superseded or null) and `reason` (conflict or null).

    Shape: row by row, in the order of `raw_usage`. Of equal records the first by file and record
    stands. Of one identity with different content the greatest version stands and the others
    are superseded; without a version the first stands and the others are conflicts.
    """
    groups = [pl.col("feed_key"), pl.col("identity"), _kind()]
    # Nearly all identities occur once; their hashes tell which, and which may not.
    at = raw_usage.select(pl.col("identity").hash().is_duplicated().arg_true()).to_series()
    candidates = raw_usage.select(*ORDER, "identity", *CONTENT)[at].with_columns(at=at)
    repeated = candidates.filter(pl.len().over(groups) > 1).sort(*ORDER)
    judged = repeated.select("at", *_judgement(groups))
    return pl.DataFrame(
        {name: _placed(judged, name, raw_usage.height) for name in ("aside", "reason")}
    )


def _placed(judged: pl.DataFrame, name: str, height: int) -> pl.Series:
    """The judgement of a few rows at their places among all; null elsewhere."""
    nothing = pl.repeat(None, height, dtype=pl.String, eager=True)
    return nothing.scatter(judged["at"], judged[name])  # in place, so one for each column


def _kind() -> pl.Expr:
    """A reversal is no duplicate of what it takes back; parts of a session differ by part."""
    return pl.concat_str(
        pl.col("record_kind").fill_null(""), pl.col("session_part").fill_null("")
    ).alias("kind")


def _judgement(groups: list[pl.Expr]) -> list[pl.Expr]:
    content = pl.struct(CONTENT)
    is_repeat = pl.struct(pl.struct(groups), content).is_first_distinct().not_()
    newest = pl.col("version").max().over(groups)
    # Equal versions with other content cannot be told apart: the first stands, as without one.
    is_old = (pl.col("version") < newest).fill_null(value=False)
    stands = ~is_repeat & ~is_old
    rank = stands.cast(pl.Int64).cum_sum().over(groups)
    return [
        pl.when(is_repeat)
        .then(pl.lit(DUPLICATE))
        .when(is_old)
        .then(pl.lit(SUPERSEDED))
        .alias("aside"),
        pl.when(stands & (rank > 1))
        .then(pl.lit(SuspenseReason.CONFLICTING_DUPLICATE.value))
        .alias("reason"),
    ]
