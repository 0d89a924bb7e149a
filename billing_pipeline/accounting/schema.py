"""Frames accounting hands on."""

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema, optional, required

JOURNAL_ENTRIES = FrameSchema(
    name="journal_entries",
    grain="one row per business fact booked",
    columns={
        "entry_key": required(pl.String, "natural key: posting rule/source"),
        "posting_rule": required(pl.String, "rule of accounting/posting_rules.py"),
        "source_key": required(pl.String, "number of the invoice or credit note it records"),
        "account_key": optional(pl.String, "billing account"),
        "booked_date": required(pl.Date, "local posting date"),
        "currency": required(pl.String, "ISO 4217 code; one per entry"),
        "narration": required(pl.String, "text"),
    },
)

POSTINGS = FrameSchema(
    name="postings",
    grain="one row per side of an entry; debits positive, credits negative",
    columns={
        "entry_key": required(pl.String, "entry"),
        "posting_number": required(pl.Int64, "position in the entry, from 1"),
        "ledger_account": required(pl.String, "account of the tenant's chart"),
        "role": required(pl.String, "receivable, revenue, tax"),
        "product_key": optional(pl.String, "product of a revenue posting"),
        "tax_code": optional(pl.String, "EN 16931 category"),
        "tax_rate": optional(pl.Decimal(9, 4), "per cent"),
        "currency": required(pl.String, "ISO 4217 code"),
        "amount_minor": required(pl.Int64, "minor units; debits positive"),
    },
)

JOURNAL = FrameSchema(
    name="journal",
    grain="one row per posting with its entry: what every hand-off format renders",
    columns={
        "entry_number": required(pl.Int64, "gapless per tenant, in booking order"),
        **JOURNAL_ENTRIES.columns,
        **{
            name: column
            for name, column in POSTINGS.columns.items()
            if name not in ("entry_key", "currency")
        },
    },
)
