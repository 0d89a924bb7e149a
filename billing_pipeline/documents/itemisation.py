"""Itemisation as CSV and Parquet: every usage record behind a document, safe in a spreadsheet."""

import io

import polars as pl

from billing_pipeline.vocabulary.money import plain_text
from billing_pipeline.vocabulary.spreadsheets import as_shown

_COLUMNS = [
    "account_key",
    "subscription_key",
    "started_at",
    "usage_type",
    "origin",
    "destination",
    "rate_name",
    "rate_prefix",
    "rate_band",
    "quantity",
    "billable_units",
    "unit_price",
    "connection_fee",
    "amount",
    "currency",
    "file_key",
    "record_number",
]
"""What a customer may see of RATED_USAGE: never what the call cost us."""


def itemisation_csv(rated_usage: pl.DataFrame) -> bytes:
    """Rated usage as CSV: UTF-8, a header, times in UTC, exact amounts, rows in given order.

    Text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    shown = (
        rated_usage.select(_COLUMNS)
        .with_columns(
            as_shown(),
            started_at=pl.col("started_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"),
        )
        .with_columns(plain_text(pl.col(pl.Decimal)))
    )
    return shown.write_csv().encode("utf-8")


def itemisation_parquet(rated_usage: pl.DataFrame) -> bytes:
    """The same columns as Parquet: exact decimals and UTC instants with their types."""
    buffer = io.BytesIO()
    rated_usage.select(_COLUMNS).write_parquet(buffer)
    return buffer.getvalue()
