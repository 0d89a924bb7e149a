"""NetSuite: journal entries for the CSV Import Assistant.

One file, the external id on every row holds an entry together and makes a second import of it
harmless. One of debit and credit; at most 25,000 rows a file. Dates follow the company's setting
(`date_format`); the import needs a saved map from these headers.
Source: Oracle NetSuite help, "Journal Entry Import" (section_1534420642); row limit: third parties.
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import (
    credit_text,
    debit_text,
    mapped_account,
    mapped_customer,
)
from billing_pipeline.accounting.handoff.format import (
    HandoffFormat,
    by_rows,
    mapping_of,
    settings_of,
)
from billing_pipeline.accounting.handoff.master_data import netsuite_customers
from billing_pipeline.accounting.handoff.netsuite_settings import NAME, NetSuiteSettings
from billing_pipeline.accounting.handoff.tables import csv_bytes
from billing_pipeline.customers.tenant import Tenant

ROWS_PER_FILE = 25_000


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One row per posting."""
    mapping = mapping_of(tenant, NAME)
    settings = settings_of(NetSuiteSettings, tenant, NAME)
    currencies = journal.get_column("currency").unique()
    line = "Journal Entry - Line: "
    rows = journal.select(
        pl.format("{}-{}", pl.lit(tenant.key), "entry_number").alias("External ID"),
        pl.col("booked_date").dt.to_string(settings.date_format).alias("Date"),
        pl.col("booked_date").dt.to_string("%b %Y").alias("Posting Period"),
        pl.lit(settings.subsidiary or None, pl.String).alias("Subsidiary"),
        pl.col("currency").alias("Currency"),
        pl.col("narration").alias("Memo"),
        mapped_account(mapping).alias(f"{line}Account"),
        debit_text(currencies).alias(f"{line}Debit"),
        credit_text(currencies).alias(f"{line}Credit"),
        pl.coalesce("product_key", "tax_code", "source_key").alias(f"{line}Memo"),
        pl.when(pl.col("role") == "receivable").then(mapped_customer(mapping)).alias(f"{line}Name"),
        pl.col("cost_centre").alias(f"{line}Department"),
    )
    return csv_bytes(rows)


FORMAT = HandoffFormat(
    name=NAME,
    title="NetSuite journal entries",
    suffix=".csv",
    media_type="text/csv",
    render=render,
    division=by_rows(ROWS_PER_FILE),
    customers=netsuite_customers.LAYOUT,
)
