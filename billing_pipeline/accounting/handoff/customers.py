"""Who owes: the master data an accounting system wants before it takes their documents."""

import polars as pl

from billing_pipeline.accounting.handoff.fields import mapped_customer
from billing_pipeline.accounting.handoff.format import mapping_of
from billing_pipeline.customers.tenant import Tenant

_COLUMNS = (
    "account_key",
    "name",
    "account_type",
    "street",
    "city",
    "postal_code",
    "region",
    "country",
    "vat_number",
    "email",
    "currency",
    "payment_terms_days",
    "payment_method",
    "opened_on",
    "closed_on",
)


def customers_csv(accounts: pl.DataFrame, tenant: Tenant, format_name: str) -> bytes:
    """Accounts that pay documents, with `customer`: their name in that system's files.

    UTF-8 with a header, by account. Accounts that another pays owe nothing and are left out.
    """
    debtors = accounts.filter(pl.col("payer_key") == pl.col("account_key")).sort("account_key")
    customer = mapped_customer(mapping_of(tenant, format_name)).alias("customer")
    return debtors.select(customer, *_COLUMNS).write_csv().encode()
