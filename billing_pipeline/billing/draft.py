"""The next bill of every account as it stands, and as it will be if usage goes on."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.billing.schema import DRAFT_ALERTS, DRAFT_BILLS, USAGE_ALERTS
from billing_pipeline.vocabulary.money import AMOUNT, exact_product
from billing_pipeline.vocabulary.periods import days_between, plus_days

_NOTHING = pl.lit(0).cast(AMOUNT)


def drafted_bills(
    to_post: pl.DataFrame, next_due: pl.DataFrame, currencies: pl.DataFrame, today: dt.date
) -> pl.DataFrame:
    """Sum what is not posted yet per account, and extrapolate the usage of open periods.

    Usage goes on as it did: what came until the end of `today` is the part of the period's that
    the days so far are of its days. What more of it comes eats up a top-up to a minimum fee
    first. Discounts stay as they stand.

    Shape: one DRAFT_BILLS row per account that is due again. `to_post` is TO_POST of every
    account up to its next due day, `next_due` account_key and due_on, `currencies` account_key
    and currency.
    """
    is_usage = pl.col("charge_kind") == "usage"
    is_open = is_usage & (pl.col("reason") == "new") & (pl.col("service_until") > today)
    until_now = plus_days(pl.lit(today), pl.lit(1))
    gone = days_between(pl.col("service_from"), until_now).clip(lower_bound=1)
    left = days_between(until_now, pl.col("service_until")).clip(lower_bound=0)
    growth = pl.when(is_open).then(exact_product(pl.col("amount"), left, over=gone)).otherwise(0)
    minimum = pl.col("difference").filter(pl.col("charge_kind") == "minimum").sum()
    more = growth.sum() - pl.min_horizontal(growth.sum(), minimum)
    sums = to_post.group_by("account_key").agg(
        charges=pl.len().cast(pl.Int64),
        usage_amount=pl.col("difference").filter(is_usage).sum().cast(AMOUNT),
        amount=pl.col("difference").sum().cast(AMOUNT),
        more=more.cast(AMOUNT),
    )
    return DRAFT_BILLS.conform(
        next_due.join(currencies, on="account_key", how="inner", validate="1:1")
        .join(sums, on="account_key", how="left", validate="1:1")
        .with_columns(
            # Nothing to post is known to be nothing.
            pl.col("charges").fill_null(0),
            pl.col("usage_amount", "amount", "more").fill_null(_NOTHING),
        )
        .with_columns(
            next_bill_day="due_on",
            drafted_on=pl.lit(today),
            expected=(pl.col("amount") + pl.col("more")).cast(AMOUNT),
        )
        .sort("account_key")
    )


def usage_alerts(drafts: pl.DataFrame, thresholds: Sequence[Decimal]) -> pl.DataFrame:
    """The thresholds that the usage of each draft has reached. Shape: USAGE_ALERTS."""
    reached = _beside(drafts, thresholds).filter(pl.col("usage_amount") >= pl.col("threshold"))
    return USAGE_ALERTS.conform(reached.sort("account_key", "threshold"))


def expected_bill_alerts(drafts: pl.DataFrame, thresholds: Sequence[Decimal]) -> pl.DataFrame:
    """The thresholds that the expected bill of each draft has reached. Shape: DRAFT_ALERTS."""
    reached = _beside(drafts, thresholds).filter(pl.col("expected") >= pl.col("threshold"))
    return DRAFT_ALERTS.conform(
        reached.with_columns(
            kind=pl.lit("expected_bill"),
            subject="account_key",
            reached="expected",
            unit="currency",
        ).sort("account_key", "threshold")
    )


def included_unit_alerts(
    use: pl.DataFrame, next_due: pl.DataFrame, thresholds: Sequence[Decimal]
) -> pl.DataFrame:
    """The per cent of pools of included units that open periods have used. Shape: DRAFT_ALERTS.

    `use` is as `included_use` gives it, `next_due` account_key and due_on.
    """
    percent = exact_product(pl.col("used"), pl.lit(100), over=pl.col("size"))
    shares = use.filter(pl.col("size") > 0).with_columns(reached=percent)
    reached = _beside(shares, thresholds).filter(pl.col("reached") >= pl.col("threshold"))
    return DRAFT_ALERTS.conform(
        reached.join(next_due, on="account_key", how="inner", validate="m:1")
        .with_columns(kind=pl.lit("included_units"), next_bill_day="due_on", unit=pl.lit("%"))
        .sort("account_key", "subject", "threshold")
    )


def _beside(rows: pl.DataFrame, thresholds: Sequence[Decimal]) -> pl.DataFrame:
    return rows.join(
        pl.DataFrame({"threshold": list(thresholds)}, schema={"threshold": AMOUNT}), how="cross"
    )
