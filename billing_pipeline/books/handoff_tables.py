"""Tables of the hand-off: numbered batches and what the other side said of them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from billing_pipeline.books.table_parts import DAY, INSTANT, TEXT, WHOLE
from billing_pipeline.books.table_parts import optional as _optional
from billing_pipeline.books.table_parts import required as _required
from billing_pipeline.books.table_parts import table as _table

handoff_batches = _table(
    "handoff_batches",
    _required(TEXT, "format_name"),
    _required(WHOLE, "batch_number", "first_entry", "last_entry"),
    _required(DAY, "bill_day"),
    _required(INSTANT, "opened_at"),
    _optional(TEXT, "path", "sha256"),
    _optional(JSONB(), "totals"),
    _optional(INSTANT, "exported_at"),
    key=("format_name", "batch_number"),
)

handoff_receipts = _table(
    "handoff_receipts",
    _required(TEXT, "format_name"),
    _required(WHOLE, "batch_number"),
    [sa.Column("receipt_number", sa.BigInteger, sa.Identity(always=True), nullable=False)],
    _required(TEXT, "state", "reference", "note"),
    _required(INSTANT, "received_at"),
    _required(TEXT, "received_by"),
    key=("format_name", "batch_number", "receipt_number"),
)

customer_batches = _table(
    "customer_batches",
    _required(TEXT, "format_name"),
    _required(WHOLE, "batch_number"),
    _required(DAY, "bill_day"),
    _required(INSTANT, "opened_at"),
    _required(WHOLE, "customers"),
    _required(TEXT, "path", "sha256"),
    _required(INSTANT, "exported_at"),
    key=("format_name", "batch_number"),
)

customer_batch_members = _table(
    "customer_batch_members",
    _required(TEXT, "format_name"),
    _required(WHOLE, "batch_number"),
    _required(TEXT, "account_key", "content_sha256"),
    key=("format_name", "account_key", "batch_number"),
)
