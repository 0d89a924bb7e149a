"""Frames receivables hands on."""

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema, required

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
