"""When a document is due: by its subscriptions' terms, else the payer's.

The payer's terms are its own, its type's or the tenant's, as settled when the tenant is applied.
"""

from dataclasses import replace

import polars as pl

from billing_pipeline.invoicing.issue import Drafts
from billing_pipeline.invoicing.schema import INVOICES


def with_agreed_terms(drafts: Drafts, subscriptions: pl.DataFrame) -> Drafts:
    """Let terms agreed with subscriptions decide the due dates of documents they stand on.

    Of several the shortest counts, so that nothing is paid later than agreed.
    Shape: `subscriptions` is SUBSCRIPTIONS.
    """
    agreed = subscriptions.filter(pl.col("payment_terms_days").is_not_null())
    if agreed.is_empty():
        return drafts
    shortest = (
        drafts.lines.join(
            agreed.select("subscription_key", agreed_days="payment_terms_days"),
            on="subscription_key",
            how="inner",
            validate="m:1",
        )
        .group_by("invoice_key")
        .agg(pl.col("agreed_days").min())
    )
    due = pl.col("bill_day") + pl.duration(days=pl.col("agreed_days"))
    documents = drafts.invoices.join(
        shortest, on="invoice_key", how="left", validate="1:1", maintain_order="left"
    ).with_columns(due_date=pl.coalesce(due, "due_date"))
    return replace(drafts, invoices=INVOICES.conform(documents))
