"""Documents written short: the columns a rule does not read get plain values."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from billing_pipeline.accounting.journal import numbered_journal
from billing_pipeline.accounting.posting_rules import journal_for_documents
from billing_pipeline.customers.tenant import (
    HandoffMapping,
    LedgerAccounts,
    LegalEntity,
    Tenant,
)
from billing_pipeline.invoicing.schema import INVOICE_LINES, INVOICE_TAXES, INVOICES
from billing_pipeline.receivables.schema import PAYMENTS

BILL_DAY = dt.date(2026, 2, 1)
HANDED_OVER_AT = dt.datetime(2026, 2, 2, 3, 4, 5, 678000, tzinfo=dt.UTC)

INVOICES_NUMBERED = pl.Schema({"invoice_number": pl.String(), **INVOICES.polars_schema})


def tenant(
    currency: str = "GBP",
    format_name: str = "journal_csv",
    mapping: HandoffMapping | None = None,
    ledger_accounts: LedgerAccounts | None = None,
) -> Tenant:
    return Tenant(
        key="voice",
        name='Voice "V" Ltd',
        legal_entity=LegalEntity(
            name="Voice Ltd",
            street="1 Line Road",
            city="London",
            postal_code="N1 1AA",
            country="GB",
            email="billing@voice.example",
        ),
        currency=currency,
        time_zone="Europe/London",
        ledger_accounts=ledger_accounts
        or LedgerAccounts(
            receivable="1100", revenue="4000", tax="2200", revenue_by_product={"calls": "4010"}
        ),
        handoff_formats=[format_name],
        handoff_mappings={format_name: mapping} if mapping else {},
    )


@dataclass
class Document:
    """`lines` are (product, net); `taxes` are (code, rate, tax)."""

    number: str
    lines: list[tuple[str, int]]
    taxes: list[tuple[str, str, int]] = field(default_factory=list)
    kind: str = "invoice"
    account: str = "10001"
    currency: str = "GBP"
    bill_day: dt.date = BILL_DAY

    @property
    def net(self) -> int:
        return sum(net for _, net in self.lines)

    @property
    def tax(self) -> int:
        return sum(tax for _, _, tax in self.taxes)


def invoices_frame(documents: list[Document]) -> pl.DataFrame:
    rows = [
        {
            "invoice_number": document.number,
            "invoice_key": f"key/{document.number}",
            "document_kind": document.kind,
            "account_key": document.account,
            "bill_day": document.bill_day,
            "due_date": document.bill_day + dt.timedelta(days=14),
            "period_from": dt.date(2026, 1, 1),
            "period_until": dt.date(2026, 2, 1),
            "currency": document.currency,
            "net_minor": document.net,
            "tax_minor": document.tax,
            "total_minor": document.net + document.tax,
            "corrects_invoice": None,
        }
        for document in documents
    ]
    return pl.DataFrame(rows, schema=INVOICES_NUMBERED)


def lines_frame(documents: list[Document]) -> pl.DataFrame:
    rows = [
        {
            "invoice_key": f"key/{document.number}",
            "line_number": position,
            "charge_key": f"{document.number}/{position}",
            "posting_number": 1,
            "account_key": document.account,
            "subscription_key": None,
            "product_key": product,
            "price_key": f"{product}.price",
            "charge_kind": "usage",
            "description": product,
            "service_from": dt.date(2026, 1, 1),
            "service_until": dt.date(2026, 2, 1),
            "quantity": Decimal(1),
            "unit": "call",
            "unit_price": None,
            "net_minor": net,
            "currency": document.currency,
            "tax_category": "standard",
            "tax_code": "S",
            "tax_rate": Decimal(20),
            "corrects_invoice": None,
            "events": 0,
        }
        for document in documents
        for position, (product, net) in enumerate(document.lines, start=1)
    ]
    return pl.DataFrame(rows, schema=INVOICE_LINES.polars_schema)


def taxes_frame(documents: list[Document]) -> pl.DataFrame:
    rows = [
        {
            "invoice_key": f"key/{document.number}",
            "tax_code": code,
            "tax_rate": Decimal(rate),
            "tax_label": f"VAT {rate} %",
            "exemption": None,
            "base_minor": document.net,
            "tax_minor": tax,
        }
        for document in documents
        for code, rate, tax in document.taxes
    ]
    return pl.DataFrame(rows, schema=INVOICE_TAXES.polars_schema)


def journal_frame(documents: list[Document], owner: Tenant | None = None) -> pl.DataFrame:
    """JOURNAL of these documents, entries numbered from 1."""
    booked = journal_for_documents(
        invoices_frame(documents),
        lines_frame(documents),
        taxes_frame(documents),
        owner or tenant(),
    )
    return numbered_journal(booked, 1)


# Hand-worked: 20.00 subscription + 5.00 calls = 25.00 net, 20 % VAT 5.00, 30.00 gross;
# the credit note takes 1.00 of calls back: 1.00 net, 0.20 VAT, 1.20 gross.
INVOICE = Document("INV-2026-000001", [("subscription", 2000), ("calls", 500)], [("S", "20", 500)])
CREDIT_NOTE = Document(
    "CN-2026-000001",
    [("calls", -100)],
    [("S", "20", -20)],
    kind="credit_note",
    bill_day=dt.date(2026, 3, 1),
)


ACCOUNTS = pl.DataFrame({"account_key": ["10001"], "account_type": ["reseller"]})


def write_off(received_on: dt.date) -> pl.DataFrame:
    """Thirty pounds given up, as PAYMENTS."""
    row = ("W-1", "write_off", "10001", received_on, "GBP", 3000, None, "insolvent")
    return pl.DataFrame([row], schema=PAYMENTS.polars_schema, orient="row")
