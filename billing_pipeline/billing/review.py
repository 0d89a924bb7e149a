"""What of a bill run is posted by itself, and what is reported, approved or held first."""

from typing import NamedTuple

import polars as pl

from billing_pipeline.customers.policies import BillingPolicy
from billing_pipeline.vocabulary.money import AMOUNT


class Review(NamedTuple):
    """Four disjoint frames of TO_POST that together are what the run found."""

    post: pl.DataFrame
    reported: pl.DataFrame
    awaiting_approval: pl.DataFrame
    held: pl.DataFrame


def review(
    to_post: pl.DataFrame, held_accounts: pl.DataFrame, approved: pl.Series, policy: BillingPolicy
) -> Review:
    """Sort differences by what may happen to them.

    Nothing of an account in `held_accounts` (HELD_ACCOUNTS) is posted. Corrections are judged
    together per account, by the sum of their sizes: little is only reported and comes again
    with the next run, so that it is never lost; much waits until the account is in `approved`.
    New charges are posted in any case.
    """
    is_correction = pl.col("reason") != "new"
    size = pl.col("difference").abs().filter(is_correction).sum().over("account_key").cast(AMOUNT)
    is_little = _false() if policy.report_only_below is None else size < policy.report_only_below
    is_much = _false() if policy.approval_above is None else size > policy.approval_above
    is_approved = pl.col("account_key").is_in(approved.implode())
    way = (
        pl.when(pl.col("account_key").is_in(held_accounts.get_column("account_key").implode()))
        .then(pl.lit("held"))
        .when(is_correction & is_little)
        .then(pl.lit("reported"))
        .when(is_correction & is_much & ~is_approved)
        .then(pl.lit("awaiting_approval"))
        .otherwise(pl.lit("post"))
    )
    judged = to_post.with_columns(way=way)
    return Review(*(judged.filter(pl.col("way") == name).drop("way") for name in Review._fields))


def _false() -> pl.Expr:
    return pl.lit(value=False)
