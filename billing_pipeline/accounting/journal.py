"""Entries and postings: drafted by posting rules, finished and proven here."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from billing_pipeline.accounting.chart import with_ledger_accounts
from billing_pipeline.accounting.roles import ROLE_RANK
from billing_pipeline.accounting.schema import JOURNAL, JOURNAL_ENTRIES, POSTINGS
from billing_pipeline.customers.tenant import Tenant

_POSTING_ORDER = ["entry_key", "rank", "ledger_account", "product_key", "tax_code", "tax_rate"]

# A rule drafts sides with some of these columns; the rest does not apply to it.
SIDES = pl.Schema(
    {
        "entry_key": pl.String(),
        "role": pl.String(),
        "product_key": pl.String(),
        "tax_code": pl.String(),
        "tax_rate": pl.Decimal(9, 4),
        "tax_base_minor": pl.Int64(),
        "customer_group": pl.String(),
        "currency": pl.String(),
        "amount_minor": pl.Int64(),
    }
)


class UnbalancedEntry(Exception):
    """Debits and credits of an entry differ: a document whose parts do not sum."""


class Journal(NamedTuple):
    """Entries (JOURNAL_ENTRIES) and their sides (POSTINGS)."""

    entries: pl.DataFrame
    postings: pl.DataFrame


def finished(entries: pl.DataFrame, sides: Sequence[pl.DataFrame], tenant: Tenant) -> Journal:
    """Place drafted sides on the tenant's ledger accounts, number and balance them.

    Args:
        entries: columns of JOURNAL_ENTRIES; those that do not apply may be missing.
        sides: columns of SIDES; those that do not apply may be missing. Zeros are left out.
        tenant: whose chart it is.

    Raises: UnknownLedgerAccount, UnbalancedEntry.
    """
    drafted = pl.concat([pl.DataFrame(schema=SIDES), *sides], how="diagonal")
    moved = drafted.filter(pl.col("amount_minor") != 0)
    postings = _numbered(with_ledger_accounts(moved, tenant))
    assert_balanced(postings)
    complete = pl.concat([JOURNAL_ENTRIES.empty(), entries], how="diagonal")
    booked = complete.join(postings, on="entry_key", how="semi").sort("entry_key")
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


def merged(journals: Sequence[Journal]) -> Journal:
    """Entries of several posting rules as one journal."""
    return Journal(
        pl.concat([JOURNAL_ENTRIES.empty(), *(journal.entries for journal in journals)]),
        pl.concat([POSTINGS.empty(), *(journal.postings for journal in journals)]),
    )


def reversal_of(journal: Journal, booked_date: dt.date) -> Journal:
    """Take entries back: the same accounts with the opposite sign, on another day."""
    key = pl.format("reversal/{}", "entry_key")
    entries = journal.entries.with_columns(
        entry_key=key,
        posting_rule=pl.lit("reversal"),
        source_key=pl.col("entry_key"),
        booked_date=pl.lit(booked_date),
        narration=pl.format("Reversal of {}", "narration"),
        due_date=pl.lit(None, pl.Date),
        reverses=pl.col("entry_key"),
    )
    postings = journal.postings.with_columns(
        entry_key=key,
        amount_minor=-pl.col("amount_minor"),
        tax_base_minor=-pl.col("tax_base_minor"),
    )
    return Journal(JOURNAL_ENTRIES.conform(entries), POSTINGS.conform(postings))


def _numbered(postings: pl.DataFrame) -> pl.DataFrame:
    rank = pl.col("role").replace_strict(ROLE_RANK, return_dtype=pl.Int64)
    ordered = postings.with_columns(rank=rank).sort(_POSTING_ORDER, nulls_last=True)
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("entry_key")
    return POSTINGS.conform(ordered.with_columns(posting_number=number))
