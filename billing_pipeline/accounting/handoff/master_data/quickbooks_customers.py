"""QuickBooks Online: customers by CSV or Excel import.

A name is unique, at most 100 characters, without colon and quotation mark; the currency cannot be
imported and is chosen at the review. `Name` is what the journal's receivable rows name.
Source: Intuit, QuickBooks Online help, "Which contact fields are imported" (fields and limits).
"""

import polars as pl

from billing_pipeline.accounting.handoff.master_data.customers import (
    columns_bytes,
    refuse_customers,
)
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch, CustomerLayout
from billing_pipeline.customers.tenant import Tenant

_NAME = r'^[^\t\r\n:"]{1,100}$'
_COMPANY, _RESALE_NUMBER = 50, 16
_COLUMNS = [
    *[
        "Name",
        "Company",
        "Email",
        "Phone",
        "Mobile",
        "Fax",
        "Website",
        "Street",
        "City",
        "State",
        "ZIP",
        "Country",
    ],
    *("Opening Balance", "Opening Balance Date", "Resale Number"),
]


def render(customers: pl.DataFrame, batch: CustomerBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One row per customer.

    Raises: MappingRefused for names QuickBooks does not take.
    """
    refuse_customers(
        customers,
        ~pl.col("customer").str.contains(_NAME),
        "QuickBooks names have up to 100 characters, no colon and no quotation mark: map "
        "customers.",
    )
    number = pl.col("vat_number")
    return columns_bytes(
        customers,
        _COLUMNS,
        {
            "Name": pl.col("customer"),
            "Company": pl.col("name").str.head(_COMPANY),
            "Email": pl.col("email"),
            "Street": pl.col("street"),
            "City": pl.col("city"),
            "State": pl.col("region"),
            "ZIP": pl.col("postal_code"),
            "Country": pl.col("country"),
            "Resale Number": pl.when(number.str.len_chars() <= _RESALE_NUMBER).then(number),
        },
    )


LAYOUT = CustomerLayout(title="QuickBooks Online customers", suffix=".csv", render=render)
