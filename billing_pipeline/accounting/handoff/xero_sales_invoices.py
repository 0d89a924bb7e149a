"""Xero: sales invoices and credit notes by CSV import.

One row per product and tax, the invoice number repeated; at most 500 invoices a file; imported as
drafts. Xero works the tax out itself, so `TaxAmount` overrides it with the amount on the document,
and unit amounts are exclusive of tax: choose "tax exclusive" at import. `TaxType` is the display
name of the rate (`tax_codes`, e.g. S/20 -> 20% (VAT on Income)). A credit note has a negative
total. Dates are day first unless `date_format` says otherwise.
Source: Xero Central, "Import sales invoices" and its template.
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import (
    decimal_text,
    mapped_account,
    mapped_customer,
    mapped_tax,
)
from billing_pipeline.accounting.handoff.format import (
    HandoffFormat,
    by_entries,
    mapping_of,
    refuse,
    settings_of,
)
from billing_pipeline.accounting.handoff.master_data import xero_contacts
from billing_pipeline.accounting.handoff.sales import sales_rows
from billing_pipeline.accounting.handoff.tables import csv_bytes
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.configuration import Configuration

INVOICES_PER_FILE = 500
_NAME = "xero_sales_invoices"
_COLUMNS = [
    "*ContactName",
    "EmailAddress",
    "POAddressLine1",
    "POAddressLine2",
    "POAddressLine3",
    "POAddressLine4",
    "POCity",
    "PORegion",
    "POPostalCode",
    "POCountry",
    "*InvoiceNumber",
    "Reference",
    "*InvoiceDate",
    "*DueDate",
    "Total",
    "InventoryItemCode",
    "*Description",
    "*Quantity",
    "*UnitAmount",
    "Discount",
    "*AccountCode",
    "*TaxType",
    "TaxAmount",
    "TrackingName1",
    "TrackingOption1",
    "TrackingName2",
    "TrackingOption2",
    "Currency",
    "BrandingTheme",
]


class XeroInvoiceSettings(Configuration):
    """The organisation's date format in strftime letters."""

    date_format: str = "%d/%m/%Y"


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:
    """One row per product and tax of a document.

    Raises: MappingRefused for other entries than documents or a tax without display name.
    """
    mapping = mapping_of(tenant, _NAME)
    settings = settings_of(XeroInvoiceSettings, tenant, _NAME)
    currencies = journal.get_column("currency").unique()
    rows = sales_rows(journal, "Xero").with_columns(tax_type=mapped_tax(mapping))
    refuse(
        rows,
        pl.col("tax_type").is_null(),
        "Xero wants the display name of every tax rate: add tax_codes.",
    )
    written = {
        "*ContactName": mapped_customer(mapping),
        "*InvoiceNumber": pl.col("source_key"),
        "Reference": pl.lit(batch.reference),
        "*InvoiceDate": pl.col("booked_date").dt.to_string(settings.date_format),
        "*DueDate": pl.coalesce("due_date", "booked_date").dt.to_string(settings.date_format),
        "*Description": pl.coalesce("product_key", "narration"),
        "*Quantity": pl.lit("1"),
        "*UnitAmount": decimal_text(pl.col("net_minor"), currencies),
        "*AccountCode": mapped_account(mapping),
        "*TaxType": pl.col("tax_type"),
        "TaxAmount": decimal_text(pl.col("tax_minor"), currencies),
        "Currency": pl.col("currency"),
    }
    nothing = pl.lit(None, pl.String)
    return csv_bytes(rows.select(written.get(name, nothing).alias(name) for name in _COLUMNS))


FORMAT = HandoffFormat(
    name=_NAME,
    title="Xero sales invoices",
    suffix=".csv",
    media_type="text/csv",
    render=render,
    division=by_entries(INVOICES_PER_FILE),
    customers=xero_contacts.LAYOUT,
)
