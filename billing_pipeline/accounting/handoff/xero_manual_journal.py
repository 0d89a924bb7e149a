"""Xero: manual journals by CSV import.

One row per posting, debits positive; rows with the same narration and date become one journal, so
the narration carries the entry number. Base currency only, at most 300 rows a file, imported as
drafts. Xero does not let journals touch its receivable, payable and bank accounts: map the
receivable to a debtors clearing account with `ledger_accounts`. Tax is posted to its account, so
every row carries the rate that adds none (setting `no_tax_rate`).
Source: help.xero.com/ManualJournalsImport; system accounts and currency: third parties.
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import (
    decimal_text,
    mapped_account,
    refuse_other_currencies,
)
from billing_pipeline.accounting.handoff.format import (
    HandoffFormat,
    by_rows,
    mapping_of,
    settings_of,
)
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.configuration import Configuration

ROWS_PER_FILE = 300
_NAME = "xero_manual_journal"


class XeroJournalSettings(Configuration):
    """`no_tax_rate`: display name of the tax rate that adds no tax in the tenant's region."""

    no_tax_rate: str = "No VAT"


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One row per posting.

    Raises: MappingRefused for entries in another than the tenant's currency.
    """
    mapping = mapping_of(tenant, _NAME)
    settings = settings_of(XeroJournalSettings, tenant, _NAME)
    refuse_other_currencies(journal, tenant.currency, "Xero journal")
    entry = pl.format("{} (entry {})", pl.col("narration"), pl.col("entry_number"))
    nothing = pl.lit(None, pl.String)
    rows = journal.select(
        entry.alias("*Narration"),
        pl.col("booked_date").dt.to_string("%d/%m/%Y").alias("*Date"),
        pl.coalesce("product_key", "tax_code", "account_key").alias("Description"),
        mapped_account(mapping).alias("*AccountCode"),
        pl.lit(settings.no_tax_rate).alias("*TaxRate"),
        decimal_text(pl.col("amount_minor"), [tenant.currency]).alias("*Amount"),
        nothing.alias("TrackingName1"),
        nothing.alias("TrackingOption1"),
        nothing.alias("TrackingName2"),
        nothing.alias("TrackingOption2"),
    )
    return rows.write_csv(line_terminator="\r\n").encode()


FORMAT = HandoffFormat(
    name=_NAME,
    title="Xero manual journals",
    suffix=".csv",
    media_type="text/csv",
    render=render,
    division=by_rows(ROWS_PER_FILE),
)
