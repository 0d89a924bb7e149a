"""A month's end that is run again: what it adds to entries booked for the same month before."""

import polars as pl

from billing_pipeline.accounting.journal import Journal, merged
from billing_pipeline.accounting.schema import JOURNAL_ENTRIES, POSTINGS

_MARK = "#"
_SIDE = [
    name for name in POSTINGS.names if name not in ("posting_number", "amount_minor", "entry_key")
]


def as_next(journal: Journal, booked: pl.DataFrame) -> Journal:
    """Give entries whose fact was booked before the next number: `2026-01/EUR#2`.

    Args:
        journal: entries that hold a difference already.
        booked: the tenant's JOURNAL.
    """
    times = (
        booked.with_columns(base=_base(pl.col("source_key")))
        .group_by("posting_rule", base="base")
        .agg(times=pl.col("entry_number").n_unique())
    )
    renamed = (
        journal.entries.with_columns(base=_base(pl.col("source_key")))
        .join(times, on=["posting_rule", "base"], how="left", validate="m:1")
        .with_columns(
            suffix=pl.when(pl.col("times").is_null())
            .then(pl.lit(""))
            .otherwise(pl.format("#{}", pl.col("times") + 1))
        )
        .with_columns(
            new_key=pl.concat_str("entry_key", "suffix"),
            source_key=pl.concat_str("base", "suffix"),
        )
    )
    keys = renamed.select("entry_key", "new_key")
    postings = journal.postings.join(keys, on="entry_key", how="inner", validate="m:1")
    return Journal(
        JOURNAL_ENTRIES.conform(renamed.with_columns(entry_key=pl.col("new_key"))),
        POSTINGS.conform(postings.with_columns(entry_key=pl.col("new_key"))),
    )


def beyond_booked(journal: Journal, booked: pl.DataFrame) -> Journal:
    """What entries come to now, less what was booked for the same facts before.

    Args:
        journal: entries as they should stand in total.
        booked: the tenant's JOURNAL of the same rules and month; a fact it has and `journal` has
            not is taken back.
    """
    keyed = booked.with_columns(
        source_key=_base(pl.col("source_key")), entry_key=_base(pl.col("entry_key"))
    )
    gone = keyed.join(journal.entries, on="entry_key", how="anti").unique(
        "entry_key", maintain_order=True
    )
    headers = merged([journal, Journal(JOURNAL_ENTRIES.conform(gone), POSTINGS.empty())]).entries
    sums = (
        pl.concat(
            [
                journal.postings.select("entry_key", *_SIDE, "amount_minor"),
                keyed.select("entry_key", *_SIDE, amount_minor=-pl.col("amount_minor")),
            ]
        )
        .group_by("entry_key", *_SIDE, maintain_order=True)
        .agg(pl.col("amount_minor").sum())
        .filter(pl.col("amount_minor") != 0)
        .with_columns(
            posting_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("entry_key")
        )
    )
    entries = headers.join(sums, on="entry_key", how="semi")
    return as_next(Journal(entries, POSTINGS.conform(sums)), booked)


def _base(key: pl.Expr) -> pl.Expr:
    return key.str.split(_MARK).list.first()
