"""Posting rules: each turns one kind of business fact into entries that balance.

Debits are positive, credits negative, one currency per entry. A credit note carries negative
amounts, so the same rule mirrors the invoice without a case of its own.
"""

import datetime as dt

import polars as pl

from billing_pipeline.accounting.chart import has_role
from billing_pipeline.accounting.journal import Journal, finished
from billing_pipeline.accounting.schema import INTERCOMPANY
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.identifiers import natural_key

_DOCUMENT_NAMES = {"invoice": "Invoice", "credit_note": "Credit note"}
_SELLER_ROLES = ("intercompany_revenue", "intercompany_receivable")
_BUYER_ROLES = ("intercompany_cost", "intercompany_payable")
_SOLD = ["product_key", "tax_code", "tax_rate"]
_HEADER = ["invoice_key", "entry_key", "currency", "customer_group", "booked_date"]


def journal_for_documents(
    documents: pl.DataFrame,
    lines: pl.DataFrame,
    taxes: pl.DataFrame,
    tenant: Tenant,
    accounts: pl.DataFrame | None = None,
) -> Journal:
    """Book issued documents: receivable gross, revenue per product and tax, tax per code and rate.

    Args:
        documents: INVOICES columns and `invoice_number`.
        lines: INVOICE_LINES of these documents.
        taxes: INVOICE_TAXES of these documents.
        tenant: whose chart of accounts is used.
        accounts: ACCOUNTS; needed where ledger rules ask for the customer group.

    Lines of service beyond the bill day go to deferred revenue, discounts to their own account,
    where the tenant's chart has them. Shape: one entry per document that moves any account.
    Raises: UnbalancedEntry that names the documents whose lines, taxes and total disagree;
        UnknownLedgerAccount.
    """
    entries = _document_entries(documents, accounts)
    sides = [
        _receivable(entries),
        _revenue(entries, lines, tenant),
        _tax(entries, taxes),
    ]
    return finished(entries, sides, tenant)


def journal_for_intercompany(
    supplied: pl.DataFrame, booked_date: dt.date, seller: Tenant, buyer: Tenant
) -> tuple[Journal, Journal]:
    """Book what one tenant supplied to another of its company, in both tenants' books.

    Args:
        supplied: INTERCOMPANY rows of this pair.
        booked_date: local day; both sides book the same.
        seller: books intercompany revenue and a receivable.
        buyer: books intercompany cost and a payable.

    Returns: the seller's and the buyer's journal; their balances mirror each other.
    """
    rows = INTERCOMPANY.conform(supplied)
    given = rows.with_columns(amount_minor=-pl.col("amount_minor"))
    return (
        _intercompany(given, booked_date, seller, buyer, _SELLER_ROLES),
        _intercompany(rows, booked_date, buyer, seller, _BUYER_ROLES),
    )


def _intercompany(
    results: pl.DataFrame,
    booked_date: dt.date,
    owner: Tenant,
    partner: Tenant,
    roles: tuple[str, str],
) -> Journal:
    source = natural_key(pl.lit(partner.key), pl.col("period"), pl.col("currency"))
    rows = results.with_columns(source_key=source, entry_key=pl.format("intercompany/{}", source))
    entries = rows.unique("entry_key", maintain_order=True).select(
        "entry_key",
        "source_key",
        "currency",
        posting_rule=pl.lit("intercompany"),
        booked_date=pl.lit(booked_date),
        narration=pl.format("Intercompany {} with {}", "period", pl.lit(partner.name)),
    )
    keys = ["entry_key", "currency"]
    amount = pl.col("amount_minor").sum()
    result, balance = roles
    sides = [
        rows.group_by(*keys, "product_key").agg(amount).with_columns(role=pl.lit(result)),
        rows.group_by(*keys).agg(-amount).with_columns(role=pl.lit(balance)),
    ]
    return finished(entries, sides, owner)


def _document_entries(documents: pl.DataFrame, accounts: pl.DataFrame | None) -> pl.DataFrame:
    entries = documents.select(
        "invoice_key",
        "account_key",
        "currency",
        "total_minor",
        "due_date",
        entry_key=natural_key(pl.col("document_kind"), pl.col("invoice_number")),
        posting_rule=pl.col("document_kind"),
        source_key=pl.col("invoice_number"),
        booked_date=pl.col("bill_day"),
        narration=pl.concat_str(
            pl.col("document_kind").replace_strict(_DOCUMENT_NAMES, return_dtype=pl.String),
            pl.col("invoice_number"),
            separator=" ",
        ),
    )
    if accounts is None:
        return entries.with_columns(customer_group=pl.lit(None, pl.String))
    groups = accounts.select("account_key", customer_group="account_type")
    return entries.join(groups, on="account_key", how="left", validate="m:1")


def _receivable(entries: pl.DataFrame) -> pl.DataFrame:
    return entries.select(
        "entry_key",
        "currency",
        "customer_group",
        role=pl.lit("receivable"),
        amount_minor=pl.col("total_minor"),
    )


def _revenue(entries: pl.DataFrame, lines: pl.DataFrame, tenant: Tenant) -> pl.DataFrame:
    named = _of_documents(entries, lines.drop("currency")).with_columns(role=line_role(tenant))
    keys = ["entry_key", "currency", "customer_group", "role", *_SOLD]
    return named.group_by(keys).agg(amount_minor=-pl.col("net_minor").sum())


def line_role(tenant: Tenant) -> pl.Expr:
    """Role of an invoice line: deferred_revenue, discount or revenue.

    Shape: row by row over INVOICE_LINES and `booked_date`. A line is deferred while its service
    reaches beyond the day it is booked, discounts with the service they belong to. What is owed
    for an early end is earned at once: the service its days count never comes.
    """
    role = pl.lit("revenue")
    if has_role(tenant, "discount"):
        role = pl.when(pl.col("charge_kind") == "discount").then(pl.lit("discount")).otherwise(role)
    if has_role(tenant, "deferred_revenue"):
        role = pl.when(is_deferred()).then(pl.lit("deferred_revenue")).otherwise(role)
    return role


def is_deferred() -> pl.Expr:
    """Whether an invoice line is of service still to come on its `booked_date`."""
    reaches_on = pl.col("service_until") > pl.col("booked_date").dt.offset_by("1d")
    return reaches_on & (pl.col("charge_kind") != "termination")


def _tax(entries: pl.DataFrame, taxes: pl.DataFrame) -> pl.DataFrame:
    keys = ["entry_key", "currency", "customer_group", "tax_code", "tax_rate"]
    return (
        _of_documents(entries, taxes)
        .group_by(keys)
        .agg(
            amount_minor=-pl.col("tax_minor").sum(),
            tax_base_minor=-pl.col("base_minor").sum(),
        )
        .with_columns(role=pl.lit("tax"))
    )


def _of_documents(entries: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    return parts.join(entries.select(_HEADER), on="invoice_key", how="inner", validate="m:1")
