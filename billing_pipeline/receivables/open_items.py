"""Open items: what a document leaves to pay."""

import polars as pl

from billing_pipeline.receivables.schema import ALLOCATIONS, OPEN_ITEMS


def open_items(documents: pl.DataFrame, allocations: pl.DataFrame | None = None) -> pl.DataFrame:
    """What each issued document leaves to pay or to credit: OPEN_ITEMS.

    Args:
        documents: INVOICES columns and `invoice_number`; a credit note's total is negative.
        allocations: ALLOCATIONS made so far; none where nothing was paid.

    Shape: one row per document that is not settled, by document number.
    """
    settled = (ALLOCATIONS.empty() if allocations is None else allocations).group_by(
        "invoice_number"
    )
    left = documents.join(
        settled.agg(settled_minor=pl.col("amount_minor").sum()),
        on="invoice_number",
        how="left",
        validate="1:1",
    ).with_columns(total_minor=pl.col("total_minor") - pl.col("settled_minor").fill_null(0))
    items = left.filter(pl.col("total_minor") != 0).select(
        "invoice_number",
        "account_key",
        pl.col("bill_day").alias("issued_date"),
        "due_date",
        "currency",
        pl.col("total_minor").alias("open_minor"),
    )
    return OPEN_ITEMS.conform(items.sort("invoice_number"))
