"""Posting rules: each turns one kind of business fact into entries that balance.

Debits are positive, credits negative, one currency per entry. A credit note carries negative
amounts, so the same rule mirrors the invoice without a case of its own.
"""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from billing_pipeline.accounting.roles import ROLE_ORDER
from billing_pipeline.accounting.schema import JOURNAL, JOURNAL_ENTRIES, POSTINGS
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.identifiers import natural_key

_POSTING_ORDER = ["entry_key", "role_rank", "ledger_account", "product_key", "tax_code", "tax_rate"]
_DOCUMENT_NAMES = {"invoice": "Invoice", "credit_note": "Credit note"}
_ROLE_RANK = {role: rank for rank, role in enumerate(ROLE_ORDER)}


class UnbalancedEntry(Exception):
    """Debits and credits of an entry differ: a document whose parts do not sum."""


class Journal(NamedTuple):
    """Entries (JOURNAL_ENTRIES) and their sides (POSTINGS)."""

    entries: pl.DataFrame
    postings: pl.DataFrame


def journal_for_documents(
    documents: pl.DataFrame, lines: pl.DataFrame, taxes: pl.DataFrame, tenant: Tenant
) -> Journal:
    """Book issued documents: receivable gross, revenue per product, tax per code and rate.

    Args:
        documents: INVOICES columns and `invoice_number`.
        lines: INVOICE_LINES of these documents.
        taxes: INVOICE_TAXES of these documents.
        tenant: whose chart of accounts is used.

    Shape: one entry per document that moves any account; zero postings are left out.
    Raises: UnbalancedEntry that names the documents whose lines, taxes and total disagree.
    """
    entries = documents.select(
        "invoice_key",
        "account_key",
        "currency",
        "total_minor",
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
    sides = [
        _receivable(entries, tenant),
        _revenue(entries, lines, tenant),
        _tax(entries, taxes, tenant),
    ]
    postings = _numbered(pl.concat(sides, how="diagonal"))
    assert_balanced(postings)
    booked = entries.join(postings, on="entry_key", how="semi").sort("entry_key")
    return Journal(JOURNAL_ENTRIES.conform(booked), postings)


def assert_balanced(postings: pl.DataFrame) -> None:
    """Check that every entry's debits equal its credits, per currency.

    Raises: UnbalancedEntry with entry, currency and difference.
    """
    wrong = (
        postings.group_by("entry_key", "currency")
        .agg(pl.col("amount_minor").sum())
        .filter(pl.col("amount_minor") != 0)
        .sort("entry_key", "currency")
    )
    if not wrong.is_empty():
        first = ", ".join(
            f"{key} is off by {amount} minor units of {currency}"
            for key, currency, amount in wrong.head(5).rows()
        )
        raise UnbalancedEntry(f"{wrong.height} journal entries do not balance: {first}")


def numbered_journal(journal: Journal, first_entry_number: int) -> pl.DataFrame:
    """Entries and postings as one JOURNAL frame, entries numbered in booking order.

    Shape: one row per posting, by entry number and posting number.
    """
    numbers = journal.entries.sort("booked_date", "entry_key").with_row_index(
        "entry_number", offset=first_entry_number
    )
    numbers = numbers.with_columns(pl.col("entry_number").cast(pl.Int64))
    rows = numbers.join(
        journal.postings.drop("currency"), on="entry_key", how="inner", validate="1:m"
    )
    return JOURNAL.conform(rows.sort("entry_number", "posting_number"))


def _receivable(entries: pl.DataFrame, tenant: Tenant) -> pl.DataFrame:
    return entries.select(
        "entry_key",
        "currency",
        ledger_account=pl.lit(tenant.ledger_accounts.receivable),
        role=pl.lit("receivable"),
        amount_minor=pl.col("total_minor"),
    )


def _revenue(entries: pl.DataFrame, lines: pl.DataFrame, tenant: Tenant) -> pl.DataFrame:
    per_product = lines.group_by("invoice_key", "product_key").agg(-pl.col("net_minor").sum())
    return _of_documents(entries, per_product).select(
        "entry_key",
        "currency",
        ledger_account=_revenue_account(tenant),
        role=pl.lit("revenue"),
        product_key=pl.col("product_key"),
        amount_minor=pl.col("net_minor"),
    )


def _tax(entries: pl.DataFrame, taxes: pl.DataFrame, tenant: Tenant) -> pl.DataFrame:
    per_rate = taxes.group_by("invoice_key", "tax_code", "tax_rate").agg(-pl.col("tax_minor").sum())
    return _of_documents(entries, per_rate).select(
        "entry_key",
        "currency",
        "tax_code",
        "tax_rate",
        ledger_account=pl.lit(tenant.ledger_accounts.tax),
        role=pl.lit("tax"),
        amount_minor=pl.col("tax_minor"),
    )


def _of_documents(entries: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    header = entries.select("invoice_key", "entry_key", "currency")
    return parts.join(header, on="invoice_key", how="inner", validate="m:1")


def _revenue_account(tenant: Tenant) -> pl.Expr:
    by_product: Mapping[str, str] = tenant.ledger_accounts.revenue_by_product
    return pl.col("product_key").replace_strict(
        by_product, default=tenant.ledger_accounts.revenue, return_dtype=pl.String
    )


def _numbered(postings: pl.DataFrame) -> pl.DataFrame:
    rank = pl.col("role").replace_strict(_ROLE_RANK, return_dtype=pl.Int64)
    ordered = (
        postings.filter(pl.col("amount_minor") != 0)
        .with_columns(role_rank=rank)
        .sort(_POSTING_ORDER, nulls_last=True)
    )
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("entry_key")
    return POSTINGS.conform(ordered.with_columns(posting_number=number))
