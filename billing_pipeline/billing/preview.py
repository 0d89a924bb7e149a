"""What a bill day would post, account by account, beside what people know: outliers first."""

import polars as pl

from billing_pipeline.billing.review import Review
from billing_pipeline.billing.schema import PREVIEWED_ACCOUNTS
from billing_pipeline.vocabulary.money import AMOUNT

_NOTHING = pl.lit(0).cast(AMOUNT)
_PER_CENT = 100


def previewed_accounts(
    review: Review, last_bills: pl.DataFrame, last_preview: pl.DataFrame
) -> pl.DataFrame:
    """Sum differences per account and compare with its last bill and with the last preview.

    Shape: one PREVIEWED_ACCOUNTS row per account with something to post or that was previewed;
    what waits for a person first, then the largest change against the last bill. `last_bills`
    has account_key and last_amount, `last_preview` account_key and amount.
    """
    parts = [
        getattr(review, way).with_columns(way=pl.lit(way), urgency=pl.lit(urgency))
        for urgency, way in enumerate(("held", "awaiting_approval", "reported", "post"))
    ]
    is_correction = pl.col("reason") != "new"
    sums = (
        pl.concat(parts)
        .group_by("account_key")
        .agg(
            amount=pl.col("difference").sum().cast(AMOUNT),
            charges=pl.len().cast(pl.Int64),
            corrections=is_correction.sum().cast(pl.Int64),
            way=pl.col("way").sort_by("urgency").first(),
            urgency=pl.col("urgency").min(),
        )
    )
    before = last_preview.select("account_key", previewed="amount")
    bills = last_bills.select("account_key", "last_amount")
    compared = (
        sums.join(before, on="account_key", how="full", coalesce=True, validate="1:1")
        .join(bills, on="account_key", how="left", validate="1:1")
        .with_columns(
            # Previewed before and gone since: there is nothing to post any more.
            pl.col("amount").fill_null(_NOTHING),
            pl.col("charges", "corrections").fill_null(0),
            pl.col("way").fill_null("post"),
            pl.col("urgency").fill_null(len(parts)),
        )
    )
    change = pl.col("amount") - pl.col("last_amount")
    ordered = compared.with_columns(
        change=change,
        since_preview=pl.col("amount") - pl.col("previewed"),
        change_percent=pl.when(pl.col("last_amount") != 0).then(
            (change * _PER_CENT // pl.col("last_amount").abs()).cast(pl.Int64)
        ),
    ).sort(
        pl.col("urgency").clip(upper_bound=2),
        pl.col("change_percent").abs(),
        pl.col("amount").abs(),
        "account_key",
        descending=[False, True, True, False],
        nulls_last=True,
    )
    return PREVIEWED_ACCOUNTS.conform(ordered)
