"""Frames of what was handed over to accounting systems."""

import polars as pl

from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, optional, required

HANDOFF_BATCHES = FrameSchema(
    name="handoff_batches",
    grain="one row per range of journal entries claimed for a format",
    columns={
        "tenant_key": required(pl.String, "tenant"),
        "format_name": required(pl.String, "format of the file"),
        "batch_number": required(pl.Int64, "gapless per tenant and format"),
        "first_entry": required(pl.Int64, "first journal entry of the batch"),
        "last_entry": required(pl.Int64, "last journal entry of the batch"),
        "bill_day": required(pl.Date, "bill day of the run that claimed it"),
        "path": optional(pl.String, "file, once exported"),
        "sha256": optional(pl.String, "digest of the file, once exported"),
        "totals": optional(pl.String, "control totals as a JSON object, once exported"),
        "exported_at": optional(UTC_INSTANT, "when it was exported"),
    },
)

HANDOFF_RECEIPTS = FrameSchema(
    name="handoff_receipts",
    grain="one row per answer of an accounting system to a batch",
    columns={
        "format_name": required(pl.String, "format of the file"),
        "batch_number": required(pl.Int64, "batch it answers"),
        "receipt_number": required(pl.Int64, "later answers have higher numbers"),
        "state": required(pl.String, "accepted or refused"),
        "reference": required(pl.String, "what the other system calls it"),
        "note": required(pl.String, "what it said"),
        "received_at": required(UTC_INSTANT, "when"),
        "received_by": required(pl.String, "who wrote it down"),
    },
)

CUSTOMER_BATCHES = FrameSchema(
    name="customer_batches",
    grain="one row per file of customers handed over for a format",
    columns={
        "tenant_key": required(pl.String, "tenant"),
        "format_name": required(pl.String, "format whose files name these customers"),
        "batch_number": required(pl.Int64, "gapless per tenant and format"),
        "bill_day": required(pl.Date, "bill day of the run that exported it"),
        "opened_at": required(UTC_INSTANT, "instant it was rendered with"),
        "customers": required(pl.Int64, "customers in it"),
        "path": required(pl.String, "file"),
        "sha256": required(pl.String, "digest of the file"),
    },
)

CUSTOMERS_TOLD = FrameSchema(
    name="customers_told",
    grain="one row per customer a format was told of",
    columns={
        "account_key": required(pl.String, "account that pays"),
        "content_sha256": required(pl.String, "digest of what was said of it last"),
    },
)
