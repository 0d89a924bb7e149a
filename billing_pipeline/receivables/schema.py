"""Frames receivables hands on."""

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema, optional, required

OPEN_ITEMS = FrameSchema(
    name="open_items",
    grain="one row per issued document with something still to pay or to credit",
    columns={
        "invoice_number": required(pl.String, "document"),
        "account_key": required(pl.String, "billing account that pays"),
        "issued_date": required(pl.Date, "local issue date"),
        "due_date": required(pl.Date, "local day payment is due"),
        "currency": required(pl.String, "ISO 4217 code"),
        "open_minor": required(pl.Int64, "minor units; credit notes negative"),
    },
)

PAYMENTS = FrameSchema(
    name="payments",
    grain="one row per payment received or debt given up",
    columns={
        "payment_key": required(pl.String, "what the bank or the tenant calls it; once a tenant"),
        "kind": required(pl.String, "payment or write_off"),
        "account_key": required(pl.String, "billing account that paid, or owed"),
        "received_on": required(pl.Date, "local day"),
        "currency": required(pl.String, "ISO 4217 code"),
        "amount_minor": required(pl.Int64, "minor units, above zero"),
        "invoice_number": optional(pl.String, "document it is for; null is those due first"),
        "reference": required(pl.String, "words of the payer; of a write-off the reason"),
    },
)

ALLOCATIONS = FrameSchema(
    name="allocations",
    grain="one row per payment and document it settles",
    columns={
        "payment_key": required(pl.String, "payment"),
        "invoice_number": required(pl.String, "document"),
        "amount_minor": required(pl.Int64, "minor units settled"),
    },
)
