"""QuickBooks Desktop: the Customers & Jobs list as IIF.

Tab-separated, keyword CUST; only NAME is required, and a colon in it would make a job. The address
is up to five lines as they are printed. No escape for tabs and quotes, so they become spaces.
Source: Intuit, "IIF reference: Customers & Jobs list (CUST)".
"""

import polars as pl

from billing_pipeline.accounting.handoff.master_data.customers import refuse_customers
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch, CustomerLayout
from billing_pipeline.customers.tenant import Tenant

_LINE = 41
_NO_ESCAPE = r"[\t\r\n\"]"


def render(customers: pl.DataFrame, batch: CustomerBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """A head and one row per customer.

    Raises: MappingRefused for a name with a colon, or of more than 41 characters.
    """
    refuse_customers(
        customers,
        pl.col("customer").str.len_chars() > _LINE,
        f"QuickBooks Desktop takes customer names of up to {_LINE} characters: map customers.",
    )
    refuse_customers(
        customers,
        pl.col("customer").str.contains(":", literal=True),
        "QuickBooks takes a colon for a job of the customer: map customers.",
    )
    town = pl.concat_str("city", "region", "postal_code", separator=" ", ignore_nulls=True)
    fields = {
        "NAME": pl.col("customer"),
        "BADDR1": pl.col("name").str.head(_LINE),
        "BADDR2": pl.col("street").str.head(_LINE),
        "BADDR3": town.str.head(_LINE),
        "BADDR4": pl.col("country"),
        "EMAIL": pl.col("email"),
        "COMPANYNAME": pl.col("name").str.head(_LINE),
    }
    plain = [_spelled(value.fill_null("")) for value in fields.values()]
    rows = customers.select(pl.concat_str(pl.lit("CUST"), *plain, separator="\t")).to_series()
    head = "\t".join(["!CUST", *fields])
    return "\r\n".join([head, *rows, ""]).encode("cp1252", errors="replace")


def _spelled(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_NO_ESCAPE, " ")


LAYOUT = CustomerLayout(
    title="QuickBooks Desktop customers, IIF", suffix=".iif", render=render, spelled=_spelled
)
