"""The model of a receipt: money that came, and the documents it settles."""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from billing_pipeline.customers.tenant import Branding, Tenant
from billing_pipeline.invoicing.assemble import seller_party
from billing_pipeline.invoicing.document import Party


@dataclass(frozen=True)
class SettledDocument:
    """A document and what the payment settles of it, in minor units."""

    invoice_number: str
    issue_date: dt.date
    total_minor: int
    settled_minor: int


@dataclass(frozen=True)
class Receipt:
    """One payment as the customer gets it confirmed. Amounts in minor units of `currency`."""

    payment_key: str
    tenant_key: str
    brand: str
    branding: Branding
    locale: str
    seller: Party
    buyer: Party
    account_key: str
    received_on: dt.date
    currency: str
    amount_minor: int
    reference: str
    items: tuple[SettledDocument, ...]

    @property
    def on_account_minor(self) -> int:
        """What is kept for documents to come."""
        return self.amount_minor - sum(item.settled_minor for item in self.items)


_BUYER = ["name", "street", "city", "postal_code", "region", "country", "vat_number", "email"]


def receipt_of(
    payment: pl.DataFrame, settled: pl.DataFrame, tenant: Tenant, accounts: pl.DataFrame
) -> Receipt:
    """Build the model of one receipt.

    Args:
        payment: one row of PAYMENTS or RECORDED_PAYMENTS.
        settled: invoice_number, issue_date, total_minor and settled_minor of its documents.
        tenant: who received it.
        accounts: ACCOUNTS with the one that paid.
    """
    row = payment.row(0, named=True)
    payer = accounts.row(by_predicate=pl.col("account_key") == row["account_key"], named=True)
    columns = ["invoice_number", "issue_date", "total_minor", "settled_minor"]
    return Receipt(
        payment_key=row["payment_key"],
        tenant_key=tenant.key,
        brand=tenant.name,
        branding=tenant.branding_in(payer["language"]),
        locale=payer["language"],
        seller=seller_party(tenant.legal_entity),
        buyer=Party(**{name: payer[name] for name in _BUYER}),
        account_key=row["account_key"],
        received_on=row["received_on"],
        currency=row["currency"],
        amount_minor=row["amount_minor"],
        reference=row["reference"],
        items=tuple(
            SettledDocument(*values)
            for values in settled.sort("invoice_number").select(columns).rows()
        ),
    )
