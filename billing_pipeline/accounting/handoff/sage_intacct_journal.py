"""Sage Intacct: general ledger journal entries by CSV import.

Header cells stand on the first row of an entry only, line numbers restart at 1, debit and credit
are positive and one of them is empty; one unbalanced entry rejects the whole file. Plain UTF-8
without a byte order mark. Intacct makes its template per company: the columns here are those every
company has, found by name; columns of own dimensions stay empty.
Source: Sage Intacct documentation, "Import journal entries" (template GL Journal Entries).
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import credit_text, debit_text, mapped_account
from billing_pipeline.accounting.handoff.format import HandoffFormat, mapping_of, settings_of
from billing_pipeline.accounting.handoff.tables import csv_bytes
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.configuration import Configuration

_NAME = "sage_intacct_journal"


class IntacctSettings(Configuration):
    """Journal symbol, location, and the company's date format in strftime letters."""

    journal: str = "GJ"
    location: str = ""
    date_format: str = "%m/%d/%Y"


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One row per posting, entry by entry."""
    settings = settings_of(IntacctSettings, tenant, _NAME)
    currencies = journal.get_column("currency").unique()
    number = pl.col("posting_number").rank("ordinal").over("entry_number")

    def on_first_row(value: pl.Expr) -> pl.Expr:
        return pl.when(number == 1).then(value)

    rows = journal.select(
        DONOTIMPORT=pl.lit(None, pl.String),
        JOURNAL=on_first_row(pl.lit(settings.journal)),
        DATE=on_first_row(pl.col("booked_date").dt.to_string(settings.date_format)),
        REVERSEDATE=pl.lit(None, pl.String),
        DESCRIPTION=on_first_row(pl.col("narration")),
        REFERENCE_NO=on_first_row(pl.format("{}-{}", pl.lit(tenant.key), "entry_number")),
        LINE_NO=number,
        ACCT_NO=mapped_account(mapping_of(tenant, _NAME)),
        LOCATION_ID=pl.lit(settings.location or None, pl.String),
        DEPT_ID=pl.col("cost_centre"),
        DOCUMENT=pl.col("source_key"),
        MEMO=pl.coalesce("product_key", "tax_code", "account_key"),
        DEBIT=debit_text(currencies),
        CREDIT=credit_text(currencies),
        CURRENCY=pl.col("currency"),
    )
    return csv_bytes(rows)


FORMAT = HandoffFormat(
    name=_NAME,
    title="Sage Intacct journal entries",
    suffix=".csv",
    media_type="text/csv",
    render=render,
)
