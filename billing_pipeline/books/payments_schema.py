"""Frames of money received, as the books keep it."""

import polars as pl

from billing_pipeline.receivables.schema import PAYMENTS
from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, required

RECORDED_PAYMENTS = FrameSchema(
    name="recorded_payments",
    grain="one row per payment received or debt given up",
    columns={
        **{name: column for name, column in PAYMENTS.columns.items() if name != "invoice_number"},
        "recorded_by": required(pl.String, "who recorded it"),
        "recorded_at": required(UTC_INSTANT, "when"),
    },
)

SETTLED = FrameSchema(
    name="settled",
    grain="one row per payment and document it settles",
    columns={
        "payment_key": required(pl.String, "payment"),
        "invoice_number": required(pl.String, "document"),
        "allocated_on": required(pl.Date, "local day from which it counts"),
        "amount_minor": required(pl.Int64, "minor units settled"),
    },
)

STATEMENTS = FrameSchema(
    name="invoice_statements",
    grain="one row per document: the account's balance before and after it, in its currency",
    columns={
        "invoice_number": required(pl.String, "document"),
        "carried_minor": required(pl.Int64, "open after the document before"),
        "paid_minor": required(pl.Int64, "received since then"),
        "written_off_minor": required(pl.Int64, "given up since then"),
        "total_minor": required(pl.Int64, "total of this document"),
        "closing_minor": required(pl.Int64, "open with this document"),
    },
)
