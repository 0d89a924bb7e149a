"""What tenants of one company supply to each other, booked in both their books."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from billing_pipeline.accounting.journal import Journal
from billing_pipeline.accounting.periods import in_open_periods
from billing_pipeline.accounting.posting_rules import journal_for_intercompany
from billing_pipeline.accounting.repeats import beyond_booked
from billing_pipeline.accounting.schema import INTERCOMPANY
from billing_pipeline.books import invoices, journal, periods
from billing_pipeline.books.scope import Connection, tenant_scope
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.vocabulary.money import AMOUNT

RULE = "intercompany"
_HUNDRED = pl.lit(Decimal(100))


def book_intercompany(installation: Installation, tenant: Tenant, month_end: dt.date) -> int:
    """Book what a tenant's suppliers within its company supplied in a month; return the entries.

    Each side is booked in its own books; run again it books the difference, on both sides. A
    side whose month is closed gets it in its next open one.
    """
    booked = 0
    for supplier_key, supplied in _supplied(installation, tenant, month_end):
        supplier = read_facts(installation, supplier_key).tenant
        given, taken = journal_for_intercompany(supplied, month_end, supplier, tenant)
        booked += _book(installation, supplier, tenant, given, month_end)
        booked += _book(installation, tenant, supplier, taken, month_end)
    return booked


def _supplied(
    installation: Installation, tenant: Tenant, month_end: dt.date
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each supplier with its INTERCOMPANY rows of the month."""
    first_day = month_end.replace(day=1)
    with tenant_scope(installation.engine, tenant.key) as connection:
        documents = invoices.read_invoices(connection, tenant.key).filter(
            pl.col("bill_day") >= first_day, pl.col("bill_day") <= month_end
        )
        lines = invoices.read_lines(connection, tenant.key).join(
            documents.select("invoice_number"), on="invoice_number", how="semi"
        )
    agreed = pl.DataFrame(
        [
            (supply.supplier, supply.product, supply.percent_of_revenue)
            for supply in tenant.intercompany
        ],
        schema={"supplier": pl.String, "product_key": pl.String, "percent": AMOUNT},
        orient="row",
    )
    share = pl.col("net_minor").sum().cast(pl.Decimal(38, 4)) * pl.col("percent").first()
    due = (
        lines.join(agreed, on="product_key", how="inner", validate="m:1")
        .group_by("supplier", "product_key", "currency")
        .agg(amount_minor=(share / _HUNDRED).round(0, mode="half_away_from_zero").cast(pl.Int64))
        .filter(pl.col("amount_minor") != 0)
        .with_columns(period=pl.lit(f"{month_end:%Y-%m}"))
        .sort("supplier", "product_key", "currency")
    )
    for (supplier,), rows in due.partition_by(
        "supplier", as_dict=True, maintain_order=True
    ).items():
        yield str(supplier), INTERCOMPANY.conform(rows)


def _book(
    installation: Installation, owner: Tenant, partner: Tenant, total: Journal, month_end: dt.date
) -> int:
    with tenant_scope(installation.engine, owner.key) as connection:
        before = _booked_before(connection, owner, partner, month_end)
        entries = in_open_periods(
            beyond_booked(total, before), periods.read_periods(connection, owner.key)
        )
        return journal.book(connection, owner.key, *entries)


def _booked_before(
    connection: Connection, owner: Tenant, partner: Tenant, month_end: dt.date
) -> pl.DataFrame:
    source = f"{partner.key}/{month_end:%Y-%m}/"
    return journal.read_journal(connection, owner.key).filter(
        pl.col("posting_rule") == RULE, pl.col("source_key").str.starts_with(source)
    )
