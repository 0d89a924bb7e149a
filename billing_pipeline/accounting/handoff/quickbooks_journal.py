"""QuickBooks Online: journal entries by CSV import.

One row per posting, entries kept together by journal number. Dates as in the US region. Accounts
are found by *name* (sub-accounts as Parent:Child), so account numbers must be off in QuickBooks
or mapped with `ledger_accounts`. A receivable row must name its customer. There is no column for
tax codes: tax is posted to its account. At most 1,000 rows a file.
Source: quickbooks.intuit.com, "Import journal entries in QuickBooks Online" (L4tQBwbs7).
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import (
    credit_text,
    debit_text,
    mapped_account,
    mapped_customer,
)
from billing_pipeline.accounting.handoff.format import HandoffFormat, by_rows, mapping_of, refuse
from billing_pipeline.accounting.handoff.master_data import quickbooks_customers
from billing_pipeline.customers.tenant import Tenant

ROWS_PER_FILE = 1_000
_NAME = "quickbooks_journal"


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One row per posting.

    Raises: MappingRefused where a receivable has no customer.
    """
    mapping = mapping_of(tenant, _NAME)
    is_receivable = pl.col("role") == "receivable"
    refuse(
        journal,
        is_receivable & pl.col("account_key").is_null(),
        "QuickBooks wants a customer on every receivable row.",
    )
    currencies = journal.get_column("currency").unique()
    rows = journal.select(
        pl.col("entry_number").alias("Journal No."),
        pl.col("booked_date").dt.to_string("%m/%d/%Y").alias("Journal Date"),
        mapped_account(mapping).alias("Account Name"),
        pl.col("narration").alias("Description"),
        debit_text(currencies).alias("Debits"),
        credit_text(currencies).alias("Credits"),
        pl.when(is_receivable).then(mapped_customer(mapping)).alias("Name"),
        pl.col("currency").alias("Currency"),
        pl.lit(None, pl.String).alias("Location"),
        pl.lit(None, pl.String).alias("Class"),
    )
    return rows.write_csv(line_terminator="\r\n").encode()


FORMAT = HandoffFormat(
    name=_NAME,
    title="QuickBooks Online journal entries",
    suffix=".csv",
    media_type="text/csv",
    render=render,
    division=by_rows(ROWS_PER_FILE),
    customers=quickbooks_customers.LAYOUT,
)
