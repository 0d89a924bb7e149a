"""Money received and debts given up: which documents they settle."""

from collections.abc import Sequence

import polars as pl

from billing_pipeline.receivables.schema import ALLOCATIONS

_ACCOUNT = ["account_key", "currency"]


def allocated(payments: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """What payments settle of open items: ALLOCATIONS.

    A payment that names a document settles that one; what it has beyond it stays on the account.
    The others settle the account's documents that are due first. Credit notes are no debts.

    Args:
        payments: PAYMENTS, `amount_minor` being what they have left.
        items: OPEN_ITEMS.

    Shape: one row per payment and document it settles, in part or whole.
    """
    debts = items.filter(pl.col("open_minor") > 0).sort("due_date", "invoice_number")
    in_order = payments.sort("received_on", "payment_key")
    is_named = pl.col("invoice_number").is_not_null()
    named = _met(in_order.filter(is_named), debts, ["invoice_number", *_ACCOUNT])
    settled = named.group_by("invoice_number").agg(pl.col("amount_minor").sum())
    left = debts.join(settled, on="invoice_number", how="left", validate="1:1").with_columns(
        open_minor=pl.col("open_minor") - pl.col("amount_minor").fill_null(0)
    )
    others = _met(in_order.filter(~is_named).drop("invoice_number"), left, _ACCOUNT)
    both = pl.concat([frame.select(ALLOCATIONS.names) for frame in (named, others)])
    return ALLOCATIONS.conform(both.sort("payment_key", "invoice_number"))


def _met(payments: pl.DataFrame, debts: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """Money laid end to end beside debts laid end to end: where they meet is what is settled."""
    money = payments.with_columns(until=pl.col("amount_minor").cum_sum().over(on))
    owed = debts.with_columns(owed_until=pl.col("open_minor").cum_sum().over(on))
    begins = pl.max_horizontal(
        pl.col("until") - pl.col("amount_minor"), pl.col("owed_until") - pl.col("open_minor")
    )
    return (
        money.join(
            owed.select(*dict.fromkeys([*on, "invoice_number"]), "open_minor", "owed_until"),
            on=list(on),
            how="inner",
        )
        .with_columns(amount_minor=pl.min_horizontal("until", "owed_until") - begins)
        .filter(pl.col("amount_minor") > 0)
    )
