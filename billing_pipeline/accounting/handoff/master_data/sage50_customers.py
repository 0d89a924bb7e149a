"""Sage 50 UK: customer records by CSV import, columns A to AX, no header.

The reference (A) has up to 8 letters and digits, no spaces. Address lines 3, 4 and 5 are town,
county and postcode. ANSI. Currencies are numbers of the company's own list, so AQ stays empty:
customers in another currency than the company's are refused, as their invoices are.
Sources: Sage knowledge base 250321114620507, "Customer record data fields you can import"; Making
It Happen, "Import Sage 50 Customer Records".
"""

import polars as pl

from billing_pipeline.accounting.handoff.master_data.customers import refuse_customers
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch, CustomerLayout
from billing_pipeline.customers.tenant import Tenant

_REFERENCE = r"^[A-Za-z0-9]{1,8}$"
_LAST_COLUMN = 50
_TEXT, _SHORT_TEXT = 60, 30


def render(customers: pl.DataFrame, batch: CustomerBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One row per customer.

    Raises: MappingRefused for references Sage does not take, and for other currencies.
    """
    refuse_customers(
        customers,
        ~pl.col("customer").str.contains(_REFERENCE),
        "Sage 50 customers have up to 8 letters and digits: map customers.",
    )
    refuse_customers(
        customers,
        pl.col("currency") != tenant.currency,
        f"Sage 50 customers are in the company's currency, here {tenant.currency}.",
    )
    written = {
        1: _spelled(pl.col("customer")),  # A
        2: pl.col("name").str.head(_TEXT),
        3: pl.col("street").str.head(_TEXT),
        5: pl.col("city").str.head(_TEXT),
        6: pl.col("region").str.head(_TEXT),
        7: pl.col("postal_code").str.head(_TEXT),
        15: pl.col("vat_number").str.head(_SHORT_TEXT),  # O
        27: pl.col("email"),  # AA
        30: pl.col("payment_terms_days").cast(pl.String),  # AD
        50: pl.col("country"),  # AX
    }
    nothing = pl.lit(None, pl.String)
    rows = customers.select(
        written.get(column, nothing).alias(str(column)) for column in range(1, _LAST_COLUMN + 1)
    )
    text = rows.write_csv(include_header=False, line_terminator="\r\n")
    return text.encode("cp1252", errors="replace")


def _spelled(name: pl.Expr) -> pl.Expr:
    return name.str.to_uppercase()


LAYOUT = CustomerLayout(
    title="Sage 50 customer records", suffix=".csv", render=render, spelled=_spelled
)
