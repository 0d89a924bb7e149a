"""Bounds no bill may break: an account that does is held with a finding, the others go on."""

import polars as pl

from billing_pipeline.billing.schema import HELD_ACCOUNTS
from billing_pipeline.customers.policies import BillingPolicy

_SERVICE = ["subscription_key", "price_key", "charge_kind"]
_PERIOD_KINDS = ("recurring", "usage", "minimum")


def broken_bounds(
    charges: pl.DataFrame, posted: pl.DataFrame, to_post: pl.DataFrame, policy: BillingPolicy
) -> pl.DataFrame:
    """Find accounts whose charges cannot be right, as HELD_ACCOUNTS, ordered by account.

    A service charged twice for the same days; more charges to post than the policy allows; a
    bill more than `jump_factor` times the account's dearest so far (none if it has no history).
    """
    found = [_duplicate_periods(charges), _too_many(to_post, policy.most_charges)]
    if policy.jump_factor is not None:
        found.append(_jumps(posted, to_post, pl.lit(policy.jump_factor)))
    return HELD_ACCOUNTS.conform(pl.concat(found).sort("account_key", "bound", "message"))


def _duplicate_periods(charges: pl.DataFrame) -> pl.DataFrame:
    # In this order the row above is the same service's charge before: no window is needed.
    is_same = pl.all_horizontal(pl.col(_SERVICE).eq_missing(pl.col(_SERVICE).shift(1)))
    doubled = (
        charges.filter(pl.col("charge_kind").is_in(_PERIOD_KINDS))
        .sort(*_SERVICE, "service_from")
        .with_columns(charged_until=pl.when(is_same).then(pl.col("service_until").shift(1)))
        .filter(pl.col("service_from") < pl.col("charged_until"))
    )
    # The shifted column is in other chunks than the rest, which `format` does not bear.
    return doubled.rechunk().select(
        "account_key",
        bound=pl.lit("duplicate_period"),
        message=pl.format(
            "{} is charged from {}, but was already charged until {}",
            "charge_key",
            "service_from",
            "charged_until",
        ),
    )


def _too_many(to_post: pl.DataFrame, most: int) -> pl.DataFrame:
    counted = to_post.group_by("account_key").agg(number=pl.len()).filter(pl.col("number") > most)
    return counted.select(
        "account_key",
        bound=pl.lit("most_charges"),
        message=pl.format("{} charges to post, at most {} are allowed", "number", pl.lit(most)),
    )


def _jumps(posted: pl.DataFrame, to_post: pl.DataFrame, factor: pl.Expr) -> pl.DataFrame:
    dearest = (
        posted.group_by("account_key", "bill_from")
        .agg(bill=pl.col("posted_amount").sum())
        .group_by("account_key")
        .agg(dearest=pl.col("bill").max())
        .filter(pl.col("dearest") > 0)
    )
    bills = to_post.group_by("account_key").agg(bill=pl.col("difference").sum())
    jumped = bills.join(dearest, on="account_key", how="inner", validate="1:1").filter(
        pl.col("bill") > pl.col("dearest") * factor
    )
    return jumped.select(
        "account_key",
        bound=pl.lit("jump"),
        message=pl.format(
            "a bill of {}; the dearest so far was {}",
            pl.col("bill").cast(pl.Decimal(38, 2)),
            pl.col("dearest").cast(pl.Decimal(38, 2)),
        ),
    )
