"""Dynamics 365 Business Central: customers for a configuration package of table 18, as xlsx.

A customer that posts needs its three posting groups; they are the tenant's settings. An empty
currency code means the company's own currency. The number is what the journal lines name.
Source: learn.microsoft.com, table 18 "Customer" (names and lengths).
"""

import polars as pl

from billing_pipeline.accounting.handoff.business_central_settings import (
    NAME,
    BusinessCentralSettings,
)
from billing_pipeline.accounting.handoff.format import settings_of
from billing_pipeline.accounting.handoff.master_data.customers import refuse_customers
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch, CustomerLayout
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.workbook import workbook_bytes

_NUMBER, _TEXT, _TOWN, _POST_CODE, _EMAIL = 20, 100, 30, 20, 80


def render(customers: pl.DataFrame, batch: CustomerBatch, tenant: Tenant) -> bytes:
    """One row per customer.

    Raises: MappingRefused for customer numbers of more than 20 characters.
    """
    settings = settings_of(BusinessCentralSettings, tenant, NAME)
    refuse_customers(
        customers,
        pl.col("customer").str.len_chars() > _NUMBER,
        "Business Central takes customer numbers of up to 20 characters: map customers.",
    )
    number = pl.col("vat_number")
    rows = customers.select(
        _spelled(pl.col("customer")).alias("No."),
        pl.col("name").str.head(_TEXT).alias("Name"),
        pl.col("street").str.head(_TEXT).alias("Address"),
        pl.col("postal_code").str.head(_POST_CODE).alias("Post Code"),
        pl.col("city").str.head(_TOWN).alias("City"),
        pl.col("region").str.head(_TOWN).alias("County"),
        pl.col("country").alias("Country/Region Code"),
        pl.col("email").str.head(_EMAIL).alias("Email"),
        pl.when(number.str.len_chars() <= _NUMBER).then(number).alias("VAT Registration No."),
        pl.when(pl.col("currency") != tenant.currency).then("currency").alias("Currency Code"),
        pl.lit(settings.customer_posting_group).alias("Customer Posting Group"),
        pl.lit(settings.business_posting_group).alias("Gen. Bus. Posting Group"),
        pl.lit(settings.vat_business_posting_group).alias("VAT Bus. Posting Group"),
    )
    return workbook_bytes({"Customer": rows}, batch.created_at)


def _spelled(name: pl.Expr) -> pl.Expr:
    return name.str.to_uppercase()


LAYOUT = CustomerLayout(
    title="Business Central customers", suffix=".xlsx", render=render, spelled=_spelled
)
