"""Open items: what a document leaves to pay, and by which day."""

import polars as pl

from billing_pipeline.receivables.schema import OPEN_ITEMS


def due_date(issued_date: pl.Expr, payment_terms_days: pl.Expr) -> pl.Expr:
    """Local day payment is due.

    Shape: row by row. Units: terms in calendar days; zero is due on the day of issue.
    """
    return issued_date + pl.duration(days=payment_terms_days)


def open_items(documents: pl.DataFrame) -> pl.DataFrame:
    """What each issued document leaves to pay or to credit: OPEN_ITEMS.

    Args:
        documents: INVOICES columns and `invoice_number`; a credit note's total is negative.

    Shape: one row per document whose total is not zero, by document number.
    """
    items = documents.filter(pl.col("total_minor") != 0).select(
        "invoice_number",
        "account_key",
        pl.col("bill_day").alias("issued_date"),
        "due_date",
        "currency",
        pl.col("total_minor").alias("open_minor"),
    )
    return OPEN_ITEMS.conform(items.sort("invoice_number"))
