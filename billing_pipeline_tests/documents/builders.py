"""Documents for tests: a small invoice, one with sub-accounts and usage, a credit note."""

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl

from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.invoicing.assemble import invoice_document
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline_tests.invoicing.builders import TENANT, accounts, draft, numbered, to_post

_DESTINATIONS = [
    ("442079460000", "United Kingdom", "44", "0.0150"),
    ("447700900123", "United Kingdom mobile", "447", "0.0895"),
    ("33142685300", "France", "33", "0.0120"),
    ("48221234567", "Poland", "48", "0.0210"),
    ("302101234567", "Greece", "30", "0.0330"),
]


def usage(rows: int, account_key: str = "C-1", subscription_key: str = "S-1") -> pl.DataFrame:
    """Rated calls spread over February 2026, the same on every call."""
    start = dt.datetime(2026, 2, 1, 7, 0, tzinfo=dt.UTC)
    step = dt.timedelta(days=27) / max(rows, 1)
    made = [
        _call(start + (step + dt.timedelta(seconds=37)) * position * 1, position)
        | {"account_key": account_key, "subscription_key": subscription_key}
        for position in range(rows)
    ]
    for call in made:
        last = dt.datetime(2026, 2, 28, 20, 0, tzinfo=dt.UTC)
        call["started_at"] = min(call["started_at"], last)
    return pl.DataFrame(made, schema=RATED_USAGE.polars_schema)


def _call(started_at: dt.datetime, position: int) -> dict[str, Any]:
    destination, name, prefix, price = _DESTINATIONS[position * 7 % 11 % len(_DESTINATIONS)]
    seconds = 30 + position * 97 % 1800
    return {
        "product_key": "calls",
        "price_key": "calls",
        "file_key": "f" * 32,
        "record_number": position + 1,
        "usage_type": "voice",
        "started_at": started_at,
        "origin": "4940555010",
        "destination": destination,
        "quantity": Decimal(seconds),
        "billable_units": Decimal(seconds),
        "unit_price": Decimal(price),
        "connection_fee": None,
        "amount": (Decimal(price) * seconds / 60).quantize(Decimal("0.0000000001")),
        "cost_amount": Decimal("0.0042"),
        "currency": "EUR",
        "rate_name": name,
        "rate_prefix": prefix,
        "rate_band": None,
        "rate_valid_from": None,
        "cost_prefix": prefix,
    }


def document_of(
    charges: pl.DataFrame,
    billed: pl.DataFrame | None = None,
    tenant: Tenant = TENANT,
    itemisation: pl.DataFrame | None = None,
) -> InvoiceDocument:
    """The first document drafted from these charges."""
    known = accounts() if billed is None else billed
    drafts = draft(charges, known)
    first = numbered(drafts).head(1)
    key = pl.col("invoice_key") == first["invoice_key"][0]
    return invoice_document(
        first,
        drafts.lines.filter(key),
        drafts.taxes.filter(key),
        tenant,
        known,
        itemisation=itemisation,
    )


def small_invoice(**customer: Any) -> InvoiceDocument:  # noqa: ANN401 - columns of ACCOUNTS
    """A fee and a hundred minutes."""
    return document_of(
        to_post(
            {"amount": "20", "unit_price": "20", "description": "Business line"},
            {
                "amount": "5",
                "quantity": "100",
                "unit": "min",
                "unit_price": "0.05",
                "charge_kind": "usage",
                "description": "Calls to national numbers",
            },
        ),
        accounts(customer),
    )


def family_invoice(rows: int = 400) -> InvoiceDocument:
    """A holding that pays for two sub-accounts, with calls."""
    family = accounts(
        {"account_key": "C-1", "name": "Żółć & Παπαδόπουλος Holding AG", "vat_number": None},
        {"account_key": "C-2", "payer_key": "C-1", "name": "Niederlassung Köln"},
        {"account_key": "C-3", "payer_key": "C-1", "name": "Niederlassung Rostock"},
    )
    charges = to_post(
        {"amount": "149", "unit_price": "149", "description": "Standleitung 1 Gbit/s"},
        {"amount": "49.90", "description": "SIP-Trunk, 10 Kanäle", "account_key": "C-2"},
        {
            "amount": "87.4452",
            "charge_kind": "usage",
            "quantity": "5821.5",
            "unit": "min",
            "description": "Gespräche",
            "account_key": "C-2",
        },
        {
            "amount": "-4.99",
            "charge_kind": "discount",
            "description": "Treuerabatt 10 %",
            "account_key": "C-2",
        },
        {"amount": "9.98", "quantity": "2", "unit_price": "4.99", "account_key": "C-3",
         "description": "Rufnummernblock", "unit": "month"},
        {
            "amount": "15",
            "posted_amount": "20",
            "posted_minor": 2000,
            "posting_number": 2,
            "corrects_invoice": "INV-2026-000007",
            "account_key": "C-3",
            "description": "Router-Miete",
        },
        {"amount": "24.50", "tax_category": "reduced", "account_key": "C-3",
         "description": "Handbuch, gedruckt", "charge_kind": "one_time", "unit": "Stück"},
    )  # fmt: skip
    return document_of(charges, family, itemisation=usage(rows, "C-2", "S-15") if rows else None)


def credit_note() -> InvoiceDocument:
    """A fee given back in full."""
    return document_of(
        to_post(
            {
                "amount": "0",
                "posted_amount": "20",
                "posted_minor": 2000,
                "posting_number": 2,
                "corrects_invoice": "INV-2026-000007",
                "unit_price": "20",
            }
        )
    )
