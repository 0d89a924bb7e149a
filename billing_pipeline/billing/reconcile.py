"""Charges that should exist, less what was posted: what to post."""

from decimal import Decimal

import polars as pl

from billing_pipeline.billing.schema import CHARGES, POSTED, TO_POST
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

_NO_MONEY = pl.lit(Decimal(0), dtype=AMOUNT)
_NOTHING = pl.lit(Decimal(0), dtype=QUANTITY)
_POSTING = ["posted_amount", "posted_minor", "posted_quantity", "postings", "invoice_number"]


def reconcile(charges: pl.DataFrame, posted: pl.DataFrame) -> pl.DataFrame:
    """Find every charge whose computed amount differs from what was posted for it.

    `posted` holds the postings of the same accounts and the same look-back window as `charges`:
    a posted charge that is no longer computed is withdrawn. A charge of nothing that was never
    posted is not posted. Applied to what it posted, it finds nothing.

    Shape: one TO_POST row per difference, ordered by charge key.
    Raises: ComputeError if a charge key stands twice on one side.
    """
    given = CHARGES.conform(charges)
    known = POSTED.conform(posted).with_columns(posted_quantity=pl.col("quantity"))
    found = pl.concat([_changed(given, known), _withdrawn(given, known)])
    return TO_POST.conform(
        found.with_columns(
            posting_number=pl.col("postings") + 1, corrects_invoice=pl.col("invoice_number")
        ).sort("charge_key")
    )


def _changed(given: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Charges that are new or whose amount is another than was posted."""
    compared = given.join(
        known.select("charge_key", *_POSTING), on="charge_key", how="left", validate="1:1"
    ).with_columns(
        # Nothing was posted where there is no posting; these are not unknown amounts.
        pl.col("posted_amount").fill_null(_NO_MONEY),
        pl.col("posted_minor").fill_null(0),
        pl.col("posted_quantity").fill_null(_NOTHING),
        pl.col("postings").fill_null(0),
    )
    reason = (
        pl.when(pl.col("postings") == 0)
        .then(pl.lit("new"))
        .when(pl.col("difference") > 0)
        .then(pl.lit("increased"))
        .otherwise(pl.lit("decreased"))
    )
    return (
        compared.with_columns(difference=pl.col("amount") - pl.col("posted_amount"))
        .filter(pl.col("difference") != 0)
        .with_columns(reason=reason)
    )


def _withdrawn(given: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Postings whose charge should not exist: nothing is owed, the rest is as it was posted."""
    return (
        known.filter(pl.col("posted_amount") != 0)
        .join(given.select("charge_key"), on="charge_key", how="anti")
        .with_columns(
            amount=_NO_MONEY,
            quantity=_NOTHING,
            difference=-pl.col("posted_amount"),
            reason=pl.lit("withdrawn"),
        )
        .select(*CHARGES.names, *_POSTING, "difference", "reason")
    )
