"""Who owes: the customers an accounting system wants before it takes their documents."""

import hashlib

import polars as pl

from billing_pipeline.accounting.handoff.fields import mapped_customer
from billing_pipeline.accounting.handoff.format import MappingRefused, mapping_of
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch, CustomerLayout
from billing_pipeline.accounting.handoff.tables import csv_bytes
from billing_pipeline.accounting.schema import CUSTOMERS
from billing_pipeline.customers.tenant import Tenant

_NAMED = 5
"""So many customers a refusal names."""


def customers_of(accounts: pl.DataFrame, tenant: Tenant, format_name: str) -> pl.DataFrame:
    """The CUSTOMERS of one format, by account: accounts that pay, as that system calls them.

    Accounts that another pays owe nothing and are left out.
    """
    return as_customers(accounts.filter(pays_itself()), tenant, format_name)


def pays_itself() -> pl.Expr:
    """Whether nobody else pays for the account, so that documents are made out to it."""
    return pl.col("payer_key") == pl.col("account_key")


def as_customers(accounts: pl.DataFrame, tenant: Tenant, format_name: str) -> pl.DataFrame:
    """These ACCOUNTS as the CUSTOMERS of one format, by account, whoever pays for them today."""
    customer = mapped_customer(mapping_of(tenant, format_name)).alias("customer")
    named = accounts.sort("account_key").with_columns(customer)
    return CUSTOMERS.conform(named.select(CUSTOMERS.names))


def with_digest(customers: pl.DataFrame) -> pl.DataFrame:
    """The same with `content_sha256`: other digits as soon as anything of a customer changes."""
    rows = customers.write_ndjson().encode().splitlines()
    digests = [hashlib.sha256(row).hexdigest() for row in rows]
    return customers.with_columns(content_sha256=pl.Series(digests, dtype=pl.String))


def refuse_customers(customers: pl.DataFrame, wrong: pl.Expr, message: str) -> None:
    """Stop if any of the CUSTOMERS is `wrong`, naming it.

    Raises: MappingRefused with the message and the first customers it concerns.
    """
    accounts = customers.filter(wrong).get_column("account_key")
    if not accounts.is_empty():
        named = ", ".join(accounts.head(_NAMED))
        raise MappingRefused(f"{message} Customers concerned: {accounts.len()}, first: {named}.")


def refuse_alike(customers: pl.DataFrame, layout: CustomerLayout) -> None:
    """Stop if the target would take two of the CUSTOMERS for one, though their names differ.

    Accounts that are mapped to one name are one customer on purpose.
    Raises: MappingRefused naming them.
    """
    names = pl.col("customer").n_unique().over(layout.spelled(pl.col("customer")))
    refuse_customers(
        customers, names > 1, f"{layout.title}: these would come out as one: map customers."
    )


def columns_bytes(
    customers: pl.DataFrame, columns: list[str], written: dict[str, pl.Expr]
) -> bytes:
    """A CSV with these columns in this order; those that are not `written` stay empty."""
    nothing = pl.lit(None, pl.String)
    return csv_bytes(customers.select(written.get(name, nothing).alias(name) for name in columns))


def render(customers: pl.DataFrame, batch: CustomerBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """Every column of ours with a header, for what has no layout of its own: UTF-8 CSV."""
    return CUSTOMERS.conform(customers).write_csv().encode()


LAYOUT = CustomerLayout(title="Customers, CSV", suffix=".csv", render=render)
