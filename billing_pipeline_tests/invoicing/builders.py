"""Small facts for tests: a tenant, its accounts, its rates, charges to post."""

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl

from billing_pipeline.billing.schema import TO_POST
from billing_pipeline.catalog.taxes import TaxRate
from billing_pipeline.customers.schema import ACCOUNTS
from billing_pipeline.customers.tenant import Branding, LedgerAccounts, LegalEntity, Tenant
from billing_pipeline.invoicing.issue import Drafts, draft_documents
from billing_pipeline.invoicing.numbering import document_number

BILL_DAY = dt.date(2026, 3, 1)

ENTITY = LegalEntity(
    name="Nordlicht Netze GmbH",
    street="Speicherstraße 12",
    city="Hamburg",
    postal_code="20457",
    country="DE",
    vat_number="DE123456788",
    tax_number="22/815/08150",
    registration="HRB 123456, Amtsgericht Hamburg",
    email="rechnung@nordlicht.example",
    phone="+49 40 5550 100",
    website="nordlicht.example",
    bank_name="Hansebank",
    iban="DE89370400440532013000",
    bic="COBADEFFXXX",
    creditor_identifier="DE98ZZZ09999999999",
)

TENANT = Tenant(
    key="nordlicht",
    name="Nordlicht",
    legal_entity=ENTITY,
    currency="EUR",
    time_zone="Europe/Berlin",
    locale="de_DE",
    ledger_accounts=LedgerAccounts(receivable="1400", revenue="8400", tax="1776"),
    branding=Branding(tagline="Internet, das ankommt."),
)

RATES = (
    TaxRate(key="de", country="DE", tax_code="S", percent=Decimal(19), label="USt. 19 %"),
    TaxRate(
        key="de-reduced",
        category="reduced",
        country="DE",
        tax_code="S",
        percent=Decimal(7),
        label="USt. 7 %",
    ),
    TaxRate(
        key="eu-business",
        tax_code="AE",
        percent=Decimal(0),
        label="Reverse charge",
        requires_vat_number=True,
    ),
    TaxRate(key="fr-oss", country="FR", tax_code="S", percent=Decimal(20), label="TVA 20 %"),
    TaxRate(key="export", tax_code="G", percent=Decimal(0), label="Export"),
    TaxRate(
        key="goods",
        category="goods",
        tax_code="K",
        percent=Decimal(0),
        label="Intra-Community",
        requires_vat_number=True,
    ),
    TaxRate(key="zero", category="zero", tax_code="Z", percent=Decimal(0), label="0 %"),
    TaxRate(key="exempt", category="exempt", tax_code="E", percent=Decimal(0), label="Exempt"),
    TaxRate(
        key="deposit", category="deposit", tax_code="O", percent=Decimal(0), label="Outside scope"
    ),
)


def accounts(*rows: dict[str, Any]) -> pl.DataFrame:
    """Accounts with what a row leaves out filled in; an account pays for itself."""
    filled = [
        {
            "account_key": "C-1",
            "name": "Beispiel AG",
            "account_type": "business",
            "payer_key": row.get("account_key", "C-1"),
            "parent_key": None,
            "currency": "EUR",
            "opened_on": dt.date(2025, 1, 1),
            "closed_on": None,
            "payment_terms_days": 14,
            "language": "de_DE",
            "street": "Hauptstraße 1",
            "city": "Berlin",
            "postal_code": "10115",
            "region": None,
            "country": "DE",
            "vat_number": None,
            "email": "buchhaltung@beispiel.example",
            "agent": None,
            **row,
        }
        for row in rows or ({},)
    ]
    return pl.DataFrame(filled, schema=ACCOUNTS.polars_schema)


def to_post(*rows: dict[str, Any]) -> pl.DataFrame:
    """Charges to post: by default a new monthly fee of 20.00 for February."""
    filled = [{**_charge(position), **row} for position, row in enumerate(rows, start=1)]
    for row in filled:
        row["difference"] = Decimal(row["amount"]) - Decimal(row["posted_amount"])
        for name in (
            "amount",
            "posted_amount",
            "difference",
            "quantity",
            "posted_quantity",
            "unit_price",
        ):
            row[name] = None if row[name] is None else Decimal(row[name])
    return pl.DataFrame(filled, schema=TO_POST.polars_schema)


def _charge(position: int) -> dict[str, Any]:
    return {
        "charge_key": f"S-1/fee/recurring/{position:04d}",
        "account_key": "C-1",
        "subscription_key": "S-1",
        "product_key": "fee",
        "price_key": "fee",
        "charge_kind": "recurring",
        "description": "Monthly fee",
        "service_from": dt.date(2026, 2, 1),
        "service_until": dt.date(2026, 3, 1),
        "bill_from": BILL_DAY,
        "quantity": "1",
        "unit": "month",
        "unit_price": None,
        "amount": "20",
        "currency": "EUR",
        "tax_category": "standard",
        "proration": None,
        "events": 0,
        "posted_amount": "0",
        "posted_minor": 0,
        "posted_quantity": "1",
        "posting_number": 1,
        "corrects_invoice": None,
        "reason": "new",
    }


def draft(
    charges: pl.DataFrame, billed: pl.DataFrame | None = None, bill_day: dt.date = BILL_DAY
) -> Drafts:
    """Draft for the standard tenant and rates."""
    return draft_documents(
        charges, accounts() if billed is None else billed, TENANT, RATES, bill_day
    )


def numbered(drafts: Drafts) -> pl.DataFrame:
    """Invoices as the books return them: with numbers."""
    kinds = drafts.invoices["document_kind"].to_list()
    series = {"invoice": TENANT.invoice_series, "credit_note": TENANT.credit_note_series}
    numbers = [
        document_number(series[kind].pattern, BILL_DAY.year, position)
        for position, kind in enumerate(kinds, start=1)
    ]
    return drafts.invoices.with_columns(invoice_number=pl.Series(numbers, dtype=pl.String))
