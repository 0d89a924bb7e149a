"""What the migrations made, as SQLAlchemy sees it; columns that travel come from the frames.

A test compares this module with a migrated database. Rules (checks, triggers, policies) stand in
the migrations only.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from billing_pipeline.accounting.schema import FISCAL_PERIODS, JOURNAL_ENTRIES, POSTINGS
from billing_pipeline.assurance.schema import CONSERVATION, FINDINGS
from billing_pipeline.billing.schema import CHARGES
from billing_pipeline.books.table_parts import DAY, EXACT, INSTANT, METADATA, SMALL, TEXT, WHOLE
from billing_pipeline.books.table_parts import framed as _framed
from billing_pipeline.books.table_parts import optional as _optional
from billing_pipeline.books.table_parts import required as _required
from billing_pipeline.books.table_parts import table as _table
from billing_pipeline.books.table_parts import versioned as _versioned
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.customers.schema import (
    ACCOUNTS,
    AGREED_PRICES,
    SERVICE_IDENTIFIERS,
    SUBSCRIPTION_CHANGES,
    SUBSCRIPTION_DISCOUNTS,
    SUBSCRIPTIONS,
)
from billing_pipeline.invoicing.schema import INVOICE_LINES, INVOICE_TAXES, INVOICES

__all__ = ["METADATA"]

# Tenants and what they configured
tenants = _table(
    "tenants",
    _optional(TEXT, "parent_key"),
    _required(TEXT, "name", "kind", "currency", "time_zone"),
    _required(sa.SmallInteger(), "bill_hour"),
    _required(JSONB(), "document"),
    _required(SMALL, "revision"),
)
catalog_revisions = _table(
    "catalog_revisions",
    _required(SMALL, "revision"),
    _required(INSTANT, "applied_at"),
    _required(TEXT, "applied_by"),
    _required(SMALL, "added", "changed", "removed"),
    key=("revision",),
)
catalog_entries = _versioned(
    "catalog_entries",
    _required(TEXT, "kind", "entry_key"),
    _required(DAY, "valid_from", "valid_until"),
    _required(JSONB(), "document"),
    _required(TEXT, "content_hash"),
    key=("kind", "entry_key", "valid_from"),
)
accounts = _versioned("accounts", _framed(ACCOUNTS), key=("account_key",))
subscriptions = _versioned("subscriptions", _framed(SUBSCRIPTIONS), key=("subscription_key",))
service_identifiers = _versioned(
    "service_identifiers", _framed(SERVICE_IDENTIFIERS), key=("identifier", "valid_from")
)
subscription_changes = _versioned(
    "subscription_changes",
    _framed(SUBSCRIPTION_CHANGES),
    key=("subscription_key", "effective_on"),
)
subscription_discounts = _versioned(
    "subscription_discounts",
    _framed(SUBSCRIPTION_DISCOUNTS, "valid_from"),
    _required(DAY, "valid_from"),
    key=("subscription_key", "discount_key", "valid_from"),
)
agreed_prices = _versioned(
    "agreed_prices",
    _framed(AGREED_PRICES),
    key=("subscription_key", "price_key", "valid_from"),
)
rate_card_prices = _versioned(
    "rate_card_prices",
    _framed(RATE_CARD_PRICES),
    key=("card_key", "prefix", "band", "valid_from"),
)

# Usage files, what is stale, where frames lie
usage_files = _table(
    "usage_files",
    [sa.Column("file_id", sa.BigInteger, sa.Identity(always=True), nullable=False)],
    _required(TEXT, "feed_key", "url", "name"),
    _required(WHOLE, "size_bytes"),
    _required(TEXT, "etag"),
    _required(INSTANT, "landed_at"),
    _required(DAY, "landing_day"),
    _required(TEXT, "state"),
    _optional(TEXT, "file_key", "archive_path"),
    _optional(WHOLE, "records", "accepted", "suspended", "filtered", "sequence_number"),
    _optional(EXACT, "quantity", "quantity_kept"),
    _optional(DAY, "feed_valid_from"),
    _optional(TEXT, "reason", "message", "decided_by", "decision_note"),
    _required(INSTANT, "changed_at"),
    _optional(INSTANT, "masked_at"),
    key=("file_id",),
)
usage_file_days = _table(
    "usage_file_days",
    _required(WHOLE, "file_id"),
    _required(DAY, "usage_day"),
    _required(WHOLE, "records"),
    key=("file_id", "usage_day"),
)
usage_days = _table(
    "usage_days",
    _required(DAY, "usage_day"),
    _required(WHOLE, "touched", "mediated"),
    _required(INSTANT, "changed_at"),
    _optional(INSTANT, "masked_at"),
    key=("usage_day",),
)
rating_days = _table(
    "rating_days",
    _required(DAY, "usage_day"),
    _required(WHOLE, "touched", "rated"),
    _required(INSTANT, "changed_at"),
    _optional(INSTANT, "masked_at"),
    key=("usage_day",),
)
lake_partitions = _table(
    "lake_partitions",
    _required(TEXT, "frame"),
    _required(DAY, "partition_day"),
    _required(TEXT, "chunk"),
    _required(SMALL, "version"),
    _required(TEXT, "path"),
    _required(WHOLE, "rows", "bytes"),
    _required(INSTANT, "recorded_at"),
    _optional(INSTANT, "superseded_at", "removed_at"),
    key=("frame", "partition_day", "chunk", "version"),
)
lake_verifications = _table(
    "lake_verifications",
    _required(TEXT, "path"),
    _optional(TEXT, "stamps", "fault"),
    _required(INSTANT, "verified_at"),
    key=("path",),
)
conservation = _table(
    "conservation",
    _framed(CONSERVATION, "tenant_key"),
    _required(INSTANT, "changed_at"),
    key=("stage", "partition_day", "feed_key"),
)

# Bill days and charges
bill_days = _table(
    "bill_days",
    _required(DAY, "bill_day"),
    _required(INSTANT, "due_at"),
    _required(TEXT, "state"),
    _required(SMALL, "attempt"),
    _optional(INSTANT, "started_at", "completed_at"),
    _optional(WHOLE, "invoices"),
    _optional(TEXT, "message"),
    key=("bill_day",),
)
charges = _table(
    "charges",
    _framed(CHARGES),
    _required(WHOLE, "posting_number"),
    _required(DAY, "bill_day"),
    _required(EXACT, "difference"),
    _required(TEXT, "reason"),
    _optional(TEXT, "corrects_invoice", "invoice_number"),
    _optional(WHOLE, "line_number"),
    _required(WHOLE, "net_minor"),
    _required(INSTANT, "posted_at"),
    key=("charge_key", "posting_number"),
)

# Issued documents
invoice_number_series = _table(
    "invoice_number_series",
    _required(TEXT, "series"),
    _required(SMALL, "number_year"),
    _required(WHOLE, "last_number"),
    key=("series", "number_year"),
)
invoices = _table(
    "invoices",
    _framed(INVOICES),
    _required(TEXT, "invoice_number", "series"),
    [sa.Column("number_year", SMALL, sa.Computed("extract(year from bill_day)"), nullable=False)],
    _required(INSTANT, "issued_at"),
    key=("invoice_number",),
)
invoice_lines = _table(
    "invoice_lines",
    _required(TEXT, "invoice_number"),
    _framed(INVOICE_LINES, "invoice_key"),
    key=("invoice_number", "line_number"),
)
invoice_taxes = _table(
    "invoice_taxes",
    _required(TEXT, "invoice_number"),
    _framed(INVOICE_TAXES, "invoice_key"),
    key=("invoice_number", "tax_code", "tax_rate"),
)
documents = _table(
    "documents",
    _required(TEXT, "invoice_number", "kind", "path", "sha256"),
    _required(INSTANT, "recorded_at"),
    key=("invoice_number", "kind"),
)
removed_documents = _table(
    "removed_documents",
    _required(TEXT, "invoice_number", "kind"),
    _required(INSTANT, "removed_at"),
    key=("invoice_number", "kind"),
)

# The journal and what was handed off
journal_series = _table("journal_series", _required(WHOLE, "last_number"))
journal_entries = _table(
    "journal_entries",
    _required(WHOLE, "entry_number"),
    _framed(JOURNAL_ENTRIES),
    _required(INSTANT, "booked_at"),
    key=("entry_number",),
)
postings = _table(
    "postings",
    _required(WHOLE, "entry_number"),
    _framed(POSTINGS, "entry_key"),
    key=("entry_number", "posting_number"),
)
fiscal_periods = _table(
    "fiscal_periods",
    _framed(FISCAL_PERIODS),
    _required(INSTANT, "changed_at"),
    _required(TEXT, "changed_by"),
    key=("first_day",),
)
findings = _table(
    "findings",
    _framed(FINDINGS),
    _required(TEXT, "state"),
    _required(INSTANT, "first_seen_at", "last_seen_at"),
    _required(SMALL, "sightings"),
    _optional(INSTANT, "resolved_at"),
    _optional(TEXT, "decided_by", "decision_note"),
    _optional(TEXT, "account_key", "assigned_to", "assignment_note"),
    key=("control", "subject"),
)

# What people decided, and what waits for them
audit_log = _table(
    "audit_log",
    [sa.Column("audit_number", sa.BigInteger, sa.Identity(always=True), nullable=False)],
    _required(INSTANT, "logged_at"),
    _required(TEXT, "actor", "action", "subject", "note"),
    key=("audit_number",),
)
suspense_states = _table(
    "suspense_states",
    _required(TEXT, "stage", "feed_key", "file_key"),
    _required(WHOLE, "record_number"),
    _required(DAY, "partition_day"),
    _required(TEXT, "reason", "state"),
    _required(SMALL, "attempts"),
    _required(INSTANT, "first_seen_at", "last_seen_at"),
    _optional(TEXT, "decided_by", "decision_note", "service_identifier"),
    _optional(INSTANT, "started_at", "closed_at"),
    _optional(EXACT, "quantity"),
    key=("stage", "feed_key", "file_key", "record_number"),
)
approvals = _table(
    "approvals",
    _required(TEXT, "kind", "subject", "message"),
    _required(INSTANT, "requested_at"),
    _required(TEXT, "requested_by", "state"),
    _optional(INSTANT, "decided_at"),
    _optional(TEXT, "decided_by", "decision_note"),
    key=("kind", "subject"),
)
