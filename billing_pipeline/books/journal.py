"""The journal: numbered entries whose postings balance, appended and never changed."""

import datetime as dt

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.accounting.schema import JOURNAL, JOURNAL_ENTRIES, POSTINGS
from billing_pipeline.books.copy import copy_in, copy_out, staged
from billing_pipeline.books.tables import journal_entries, journal_series, postings

SAME_ENTRY = sa.and_(
    postings.c.tenant_key == journal_entries.c.tenant_key,
    postings.c.entry_number == journal_entries.c.entry_number,
)


def book(
    connection: sa.Connection, tenant_key: str, entries: pl.DataFrame, postings_of: pl.DataFrame
) -> int:
    """Book JOURNAL_ENTRIES with their POSTINGS in the order given; return how many are new.

    A fact is booked once: an entry whose posting rule and source are in the journal already is
    passed over. Numbers are gapless per tenant; other bookers wait for this transaction, which
    cannot commit before every entry balances per currency.
    """
    _wait_for_turn(connection, tenant_key)
    new = _not_booked(connection, tenant_key, JOURNAL_ENTRIES.conform(entries))
    if new.is_empty():
        return 0
    first = _allot(connection, tenant_key, new.height)
    tenant = pl.lit(tenant_key).alias("tenant_key")
    numbers = pl.int_range(first, first + new.height, dtype=pl.Int64).alias("entry_number")
    numbered = new.with_columns(tenant, numbers)
    copy_in(connection, journal_entries, numbered)
    sides = POSTINGS.conform(postings_of).join(
        numbered.select("entry_key", "tenant_key", "entry_number"),
        on="entry_key",
        how="inner",
        validate="m:1",
        maintain_order="left",
    )
    copy_in(connection, postings, sides.drop("entry_key"))
    return new.height


def read_journal(
    connection: sa.Connection,
    tenant_key: str,
    *,
    first_entry: int | None = None,
    last_entry: int | None = None,
    booked_on: dt.date | None = None,
) -> pl.DataFrame:
    """The tenant's JOURNAL in booking order, entries `first_entry` to `last_entry` inclusive.

    `booked_on` asks for facts of one day, also where they were booked later because their period
    was closed.
    """
    number = journal_entries.c.entry_number
    columns = [
        (journal_entries if name in journal_entries.c else postings).c[name]
        for name in JOURNAL.names
    ]
    select = (
        sa.select(*columns)
        .join(postings, SAME_ENTRY)
        .where(journal_entries.c.tenant_key == tenant_key)
    )
    if first_entry is not None:
        select = select.where(number >= first_entry)
    if booked_on is not None:
        of_day = sa.func.coalesce(journal_entries.c.belongs_to, journal_entries.c.booked_date)
        select = select.where(of_day == booked_on)
    if last_entry is not None:
        select = select.where(number <= last_entry)
    return copy_out(connection, select, JOURNAL).sort("entry_number", "posting_number")


def accounts_owing(connection: sa.Connection, tenant_key: str, first_entry: int) -> list[str]:
    """Keys of the accounts whose receivable is posted on from `first_entry` on, in order."""
    owing = (
        sa.select(journal_entries.c.account_key)
        .join(postings, SAME_ENTRY)
        .where(
            journal_entries.c.tenant_key == tenant_key,
            journal_entries.c.entry_number >= first_entry,
            journal_entries.c.account_key.is_not(None),
            postings.c.role == "receivable",
        )
        .distinct()
    )
    return sorted(connection.execute(owing).scalars())


def first_booked_on(connection: sa.Connection, tenant_key: str) -> dt.date | None:
    """The earliest day a tenant has an entry on; None for an empty journal."""
    first = sa.select(sa.func.min(journal_entries.c.booked_date)).where(
        journal_entries.c.tenant_key == tenant_key
    )
    day: dt.date | None = connection.execute(first).scalar_one()
    return day


def trial_balance(tenant_key: str, as_of: dt.date) -> sa.Select[str, str, int]:
    """Balance per ledger account and currency in minor units, debits positive.

    Columns ledger_account, currency, balance_minor. Sums to zero per currency.
    """
    # Postgres sums bigint to numeric; the cast keeps whole minor units.
    balance = sa.cast(sa.func.sum(postings.c.amount_minor), sa.BigInteger)
    return (
        sa.select(postings.c.ledger_account, postings.c.currency, balance.label("balance_minor"))
        .join(journal_entries, SAME_ENTRY)
        .where(postings.c.tenant_key == tenant_key, journal_entries.c.booked_date <= as_of)
        .group_by(postings.c.ledger_account, postings.c.currency)
        .order_by(postings.c.ledger_account, postings.c.currency)
    )


def _wait_for_turn(connection: sa.Connection, tenant_key: str) -> None:
    insert = postgresql.insert(journal_series).values(tenant_key=tenant_key, last_number=0)
    connection.execute(insert.on_conflict_do_nothing())
    connection.execute(
        sa.select(journal_series.c.last_number)
        .where(journal_series.c.tenant_key == tenant_key)
        .with_for_update()
    )


def _not_booked(connection: sa.Connection, tenant_key: str, entries: pl.DataFrame) -> pl.DataFrame:
    """Entries whose fact is not in the journal; the first of several for one fact."""
    asked = entries.unique(["posting_rule", "source_key"], keep="first", maintain_order=True)
    facts = asked.select("posting_rule", "source_key")
    with staged(connection, facts) as wanted:
        booked = sa.select(wanted.c.posting_rule, wanted.c.source_key).join(
            journal_entries,
            sa.and_(
                journal_entries.c.tenant_key == tenant_key,
                journal_entries.c.posting_rule == wanted.c.posting_rule,
                journal_entries.c.source_key == wanted.c.source_key,
            ),
        )
        known = copy_out(connection, booked, facts.schema)
    return asked.join(known, on=["posting_rule", "source_key"], how="anti", maintain_order="left")


def _allot(connection: sa.Connection, tenant_key: str, count: int) -> int:
    last_number = connection.execute(
        sa.update(journal_series)
        .where(journal_series.c.tenant_key == tenant_key)
        .values(last_number=journal_series.c.last_number + count)
        .returning(journal_series.c.last_number)
    ).scalar_one()
    return int(last_number) - count + 1
