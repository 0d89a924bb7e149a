"""Charges that should exist, less what was posted: what to post."""

import polars as pl

from billing_pipeline.billing.schema import CHARGES, POSTED, TO_POST
from billing_pipeline.vocabulary.money import AMOUNT

_ZERO = pl.lit(0, dtype=AMOUNT)
_WAS = "_posted"


def reconcile(charges: pl.DataFrame, posted: pl.DataFrame) -> pl.DataFrame:
    """Find every charge whose computed amount differs from what was posted for it.

    `posted` holds the postings of the same accounts and the same look-back window as `charges`:
    a posted charge that is no longer computed is withdrawn. A charge of nothing that was never
    posted is not posted. Applied to what it posted, it finds nothing.

    Shape: one TO_POST row per difference, ordered by charge key.
    Raises: ComputeError if a charge key stands twice on one side.
    """
    given = CHARGES.conform(charges)
    known = POSTED.conform(posted)
    joined = given.join(
        known, on="charge_key", how="full", coalesce=True, suffix=_WAS, validate="1:1"
    ).pipe(_with_withdrawn)
    differences = joined.with_columns(difference=pl.col("amount") - pl.col("posted_amount")).filter(
        pl.col("difference") != 0
    )
    return TO_POST.conform(
        differences.with_columns(
            posting_number=pl.col("postings") + 1,
            corrects_invoice=pl.col("invoice_number"),
            reason=_REASON,
        ).sort("charge_key")
    )


_REASON = (
    pl.when(pl.col("is_withdrawn"))
    .then(pl.lit("withdrawn"))
    .when(pl.col("postings") == 0)
    .then(pl.lit("new"))
    .when(pl.col("difference") > 0)
    .then(pl.lit("increased"))
    .otherwise(pl.lit("decreased"))
)


def _with_withdrawn(joined: pl.DataFrame) -> pl.DataFrame:
    """Take what is known of a withdrawn charge from its posting, with nothing owed for it."""
    is_withdrawn = pl.col("amount").is_null()
    names = [name for name in CHARGES.names if name not in ("charge_key", "amount", "quantity")]
    return joined.with_columns(
        *(
            pl.when(is_withdrawn).then(f"{name}{_WAS}").otherwise(name).alias(name)
            for name in names
        ),
        *(
            pl.when(is_withdrawn).then(_ZERO).otherwise(name).alias(name)
            for name in ("amount", "quantity")
        ),
        # Nothing was posted where the join found no posting; this is not an unknown amount.
        posted_amount=pl.col("posted_amount").fill_null(_ZERO),
        posted_minor=pl.col("posted_minor").fill_null(0),
        postings=pl.col("postings").fill_null(0),
        is_withdrawn=is_withdrawn,
    )
