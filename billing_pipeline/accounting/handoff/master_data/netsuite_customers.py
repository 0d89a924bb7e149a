"""NetSuite: customers for the CSV Import Assistant ("Customers Only").

The external id makes a second import an update. `Customer ID` is the name the journal lines give;
the import needs a saved map from these headers, with "Auto-Generated Numbers" off for customers.
Sources: Oracle NetSuite help, "Customers Only Import" (section_N383794) and "External IDs
Overview"; field names as in the customer record of the SOAP Schema Browser.
"""

import polars as pl

from billing_pipeline.accounting.handoff.format import settings_of
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch, CustomerLayout
from billing_pipeline.accounting.handoff.netsuite_settings import NAME, NetSuiteSettings
from billing_pipeline.accounting.handoff.tables import csv_bytes
from billing_pipeline.customers.tenant import Tenant

CUSTOMERS_PER_FILE = 25_000


def render(customers: pl.DataFrame, batch: CustomerBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One row per customer with its billing address."""
    settings = settings_of(NetSuiteSettings, tenant, NAME)
    is_person = pl.col("account_type") == "individual"
    rows = customers.select(
        pl.format("{}-customer-{}", pl.lit(tenant.key), "account_key").alias("External ID"),
        pl.col("customer").alias("Customer ID"),
        pl.when(is_person).then(pl.lit("Yes")).otherwise(pl.lit("No")).alias("Individual"),
        pl.col("name").alias("Company Name"),
        pl.lit(settings.subsidiary or None, pl.String).alias("Primary Subsidiary"),
        pl.col("currency").alias("Primary Currency"),
        pl.col("email").alias("Email"),
        pl.col("vat_number").alias("Tax Reg. Number"),
        pl.col("name").alias("Address - Addressee"),
        pl.col("street").alias("Address - Address 1"),
        pl.col("city").alias("Address - City"),
        pl.col("region").alias("Address - State/Province"),
        pl.col("postal_code").alias("Address - Zip"),
        pl.col("country").alias("Address - Country"),
        pl.lit("Yes").alias("Address - Default Billing Address"),
    )
    return csv_bytes(rows)


LAYOUT = CustomerLayout(
    title="NetSuite customers", suffix=".csv", render=render, most=CUSTOMERS_PER_FILE
)
