"""Tables of money received, and of the balance each document states."""

from billing_pipeline.books.table_parts import DAY, INSTANT, TEXT, WHOLE
from billing_pipeline.books.table_parts import required as _required
from billing_pipeline.books.table_parts import table as _table

payments = _table(
    "payments",
    _required(TEXT, "payment_key", "kind", "account_key", "currency", "reference", "recorded_by"),
    _required(DAY, "received_on"),
    _required(WHOLE, "amount_minor"),
    _required(INSTANT, "recorded_at"),
    key=("payment_key",),
)
payment_allocations = _table(
    "payment_allocations",
    _required(TEXT, "payment_key", "invoice_number"),
    _required(DAY, "allocated_on"),
    _required(WHOLE, "amount_minor"),
    key=("payment_key", "invoice_number"),
)
invoice_statements = _table(
    "invoice_statements",
    _required(TEXT, "invoice_number"),
    _required(
        WHOLE, "carried_minor", "paid_minor", "written_off_minor", "total_minor", "closing_minor"
    ),
    key=("invoice_number",),
)
payment_receipts = _table(
    "payment_receipts",
    _required(TEXT, "payment_key", "path", "sha256"),
    _required(INSTANT, "recorded_at"),
    key=("payment_key",),
)
