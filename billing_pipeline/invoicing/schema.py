"""Frames invoicing hands on. Amounts are minor units from here on."""

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema, optional, required
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

INVOICES = FrameSchema(
    name="invoices",
    grain="one row per document to issue; the number comes with the issuing transaction",
    columns={
        "invoice_key": required(pl.String, "natural key: payer account/bill day/document kind"),
        "document_kind": required(pl.String, "invoice or credit_note"),
        "account_key": required(pl.String, "billing account that pays"),
        "bill_day": required(pl.Date, "local day of the bill run; the issue date"),
        "due_date": required(pl.Date, "local day payment is due"),
        "period_from": required(pl.Date, "first day of service on the document"),
        "period_until": required(pl.Date, "day after the last day of service"),
        "currency": required(pl.String, "ISO 4217 code"),
        "net_minor": required(pl.Int64, "sum of line nets"),
        "tax_minor": required(pl.Int64, "sum of tax per category and rate"),
        "total_minor": required(pl.Int64, "net plus tax"),
        "corrects_invoice": optional(pl.String, "number of the first document corrected"),
        "tax_currency": optional(pl.String, "currency the tax is accounted in, if another"),
        "tax_currency_minor": optional(pl.Int64, "the tax in that currency, minor units"),
        "fx_rate": optional(AMOUNT, "tax_currency per unit of currency"),
        "fx_date": optional(pl.Date, "day of the rate"),
        "fx_source": optional(pl.String, "where the rate is from"),
    },
)

INVOICE_LINES = FrameSchema(
    name="invoice_lines",
    grain="one row per posted charge on a document",
    columns={
        "invoice_key": required(pl.String, "document"),
        "line_number": required(pl.Int64, "position on the document, from 1"),
        "charge_key": required(pl.String, "charge"),
        "posting_number": required(pl.Int64, "posting of the charge"),
        "account_key": required(pl.String, "billing account whose charge it is"),
        "subscription_key": optional(pl.String, "subscription"),
        "product_key": required(pl.String, "product"),
        "price_key": required(pl.String, "price"),
        "charge_kind": required(pl.String, "kind of charge"),
        "description": required(pl.String, "text"),
        "service_from": required(pl.Date, "first day of service"),
        "service_until": required(pl.Date, "day after the last day of service"),
        "quantity": required(QUANTITY, "quantity"),
        "unit": required(pl.String, "unit"),
        "unit_price": optional(AMOUNT, "price per unit, major units"),
        "net_minor": required(pl.Int64, "line net, minor units; negative on credits"),
        "currency": required(pl.String, "ISO 4217 code"),
        "tax_category": required(pl.String, "tax category of the product"),
        "tax_code": required(pl.String, "EN 16931 category: S, Z, E, AE, K, G, O"),
        "tax_rate": required(pl.Decimal(9, 4), "per cent"),
        "corrects_invoice": optional(pl.String, "document the line corrects"),
        "events": required(pl.Int64, "rated events behind the line"),
    },
)

INVOICE_TAXES = FrameSchema(
    name="invoice_taxes",
    grain="one row per document, tax code and rate",
    columns={
        "invoice_key": required(pl.String, "document"),
        "tax_code": required(pl.String, "EN 16931 category"),
        "tax_rate": required(pl.Decimal(9, 4), "per cent"),
        "tax_label": required(pl.String, "name of the tax, for people"),
        "exemption": optional(pl.String, "words the law asks for"),
        "base_minor": required(pl.Int64, "sum of line nets of the group"),
        "tax_minor": required(pl.Int64, "base times rate, rounded once"),
        "parts": optional(pl.String, "JSON of stacked taxes: label, percent, tax_minor of each"),
    },
)

HELD = FrameSchema(
    name="held_accounts",
    grain="one row per paying account and reason its document could not be drafted",
    columns={
        "account_key": required(pl.String, "billing account that would pay"),
        "bill_day": required(pl.Date, "local day of the bill run"),
        "reason": required(pl.String, "unknown_payer, no_tax_rate or no_fx_rate"),
        "detail": required(pl.String, "what is missing, for people"),
        "lines": required(pl.Int64, "lines concerned"),
    },
)
