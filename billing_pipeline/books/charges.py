"""Postings of charges: append-only differences whose sum is what was charged."""

import datetime as dt

import polars as pl
import sqlalchemy as sa

from billing_pipeline.billing.schema import CHARGES, POSTED, TO_POST
from billing_pipeline.books.copy import copy_in, copy_out, staged
from billing_pipeline.books.tables import charges

_POSTING = [
    *CHARGES.names,
    *("posting_number", "difference", "reason", "corrects_invoice"),
    *("invoice_number", "line_number", "net_minor"),
]


def posted_charges(
    connection: sa.Connection,
    tenant_key: str,
    account_keys: pl.Series,
    *,
    billed_by: dt.date | None = None,
) -> pl.DataFrame:
    """All that was POSTED for some billing accounts, one row per charge.

    Sums cover every posting, or those of bill days up to `billed_by`; the descriptive columns are
    those of the latest one.
    """
    with staged(connection, pl.DataFrame({"account_key": account_keys.unique()})) as wanted:
        every = _with_sums(tenant_key, sa.select(wanted.c.account_key))
        if billed_by is not None:
            every = every.where(charges.c.bill_day <= billed_by)
        postings = every.subquery()
        latest = sa.select(*(postings.c[name] for name in POSTED.names)).where(
            postings.c.posting_number == postings.c.latest
        )
        return copy_out(connection, latest, POSTED).sort("charge_key")


def _with_sums(
    tenant_key: str, account_keys: sa.Select[*tuple[object, ...]]
) -> sa.Select[*tuple[object, ...]]:
    """Every posting beside the sums over all postings of its charge."""
    charge = charges.c.charge_key
    # A first posting of nothing has no document; the first one that has is what people know.
    by_document = [charges.c.invoice_number.is_(None), charges.c.posting_number]
    amount = sa.func.sum(charges.c.difference).over(partition_by=charge)
    minor = sa.func.sum(charges.c.net_minor).over(partition_by=charge)
    document = sa.func.first_value(charges.c.invoice_number)
    return sa.select(
        *(charges.c[name] for name in CHARGES.names),
        sa.cast(amount, charges.c.difference.type).label("posted_amount"),
        sa.cast(minor, sa.BigInteger).label("posted_minor"),
        sa.func.count().over(partition_by=charge).label("postings"),
        document.over(partition_by=charge, order_by=by_document).label("invoice_number"),
        charges.c.posting_number,
        sa.func.max(charges.c.posting_number).over(partition_by=charge).label("latest"),
    ).where(charges.c.tenant_key == tenant_key, charges.c.account_key.in_(account_keys))


def post_charges(
    connection: sa.Connection, tenant_key: str, bill_day: dt.date, to_post: pl.DataFrame
) -> int:
    """Append postings; return how many.

    Shape of `to_post`: TO_POST with invoice_number, line_number (both null if the difference
    comes to nothing in minor units) and net_minor. A posting number that is taken is refused by
    the primary key: another run was faster.
    """
    TO_POST.conform(to_post.head(0))
    rows = to_post.select(
        *_POSTING,
        pl.lit(tenant_key).alias("tenant_key"),
        pl.lit(bill_day, pl.Date).alias("bill_day"),
    )
    return copy_in(connection, charges, rows)
