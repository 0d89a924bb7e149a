"""The books in a few figures: what people want to see after a run."""

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_out
from billing_pipeline.books.schema import (
    INVOICE_SUMMARY,
    JOURNAL_SUMMARY,
    STAGE_SUMMARY,
    USAGE_SUMMARY,
)
from billing_pipeline.books.tables import conservation, invoices, postings, usage_files


def usage_summary(connection: sa.Connection) -> pl.DataFrame:
    """USAGE_SUMMARY of all visible owners: files by state and what they held."""
    files = usage_files.c
    select = sa.select(
        files.tenant_key,
        files.state,
        sa.func.count().label("files"),
        *(_sum(files[name]) for name in ("records", "accepted", "suspended", "filtered")),
    ).group_by(files.tenant_key, files.state)
    return copy_out(connection, select, USAGE_SUMMARY).sort("tenant_key", "state")


def newest_file_id(connection: sa.Connection) -> int:
    """Number of the newest registered file; 0 before the first."""
    return connection.execute(sa.select(sa.func.max(usage_files.c.file_id))).scalar_one() or 0


def stage_summary(connection: sa.Connection) -> pl.DataFrame:
    """STAGE_SUMMARY of all visible tenants: where the records went."""
    kept = conservation.c
    counts = ("records_in", "accepted", "duplicates", "suspended", "filtered")
    select = sa.select(
        kept.stage, kept.tenant_key, *(_sum(kept[name]) for name in counts)
    ).group_by(kept.stage, kept.tenant_key)
    return copy_out(connection, select, STAGE_SUMMARY).sort("stage", "tenant_key")


def invoice_summary(connection: sa.Connection) -> pl.DataFrame:
    """INVOICE_SUMMARY of all visible tenants."""
    issued = invoices.c
    key = (issued.tenant_key, issued.document_kind, issued.currency)
    select = sa.select(
        *key,
        sa.func.count().label("documents"),
        *(_sum(issued[name]) for name in ("net_minor", "tax_minor", "total_minor")),
    ).group_by(*key)
    found = copy_out(connection, select, INVOICE_SUMMARY)
    return found.sort("tenant_key", "document_kind", "currency")


def journal_summary(connection: sa.Connection) -> pl.DataFrame:
    """JOURNAL_SUMMARY of all visible tenants; balanced means debits equal credits."""
    booked = postings.c
    debits = sa.case((booked.amount_minor > 0, booked.amount_minor), else_=0)
    credits_ = sa.case((booked.amount_minor < 0, -booked.amount_minor), else_=0)
    entries = sa.func.count(sa.distinct(booked.entry_number))
    select = sa.select(
        booked.tenant_key,
        booked.currency,
        entries.label("entries"),
        sa.cast(sa.func.sum(debits), sa.BigInteger).label("debits_minor"),
        sa.cast(sa.func.sum(credits_), sa.BigInteger).label("credits_minor"),
    ).group_by(booked.tenant_key, booked.currency)
    return copy_out(connection, select, JOURNAL_SUMMARY).sort("tenant_key", "currency")


def _sum(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    # Postgres sums bigint to numeric, and nothing to null.
    total = sa.func.coalesce(sa.func.sum(column), 0)
    return sa.cast(total, sa.BigInteger).label(column.name)
