"""Tables beside the bill run: previews, drafts, alerts, provisioning, what became of documents."""

import sqlalchemy as sa

from billing_pipeline.billing.schema import (
    BILL_PREVIEWS,
    DRAFT_ALERTS,
    DRAFT_BILLS,
    PLAN_RECOMMENDATIONS,
    USAGE_ALERTS,
)
from billing_pipeline.books.table_parts import INSTANT, TEXT, framed, optional, required, table
from billing_pipeline.customers.schema import PROVISIONING_EVENTS

bill_previews = table(
    "bill_previews",
    framed(BILL_PREVIEWS),
    required(INSTANT, "previewed_at"),
    key=("bill_day", "account_key"),
)
draft_bills = table(
    "draft_bills", framed(DRAFT_BILLS), required(INSTANT, "drafted_at"), key=("account_key",)
)
usage_alerts = table(
    "usage_alerts",
    framed(USAGE_ALERTS),
    required(INSTANT, "raised_at"),
    key=("account_key", "next_bill_day", "threshold"),
)
draft_alerts = table(
    "draft_alerts",
    framed(DRAFT_ALERTS),
    required(INSTANT, "raised_at"),
    key=("account_key", "next_bill_day", "kind", "subject", "threshold"),
)

# What other systems are told
provisioning_events = table(
    "provisioning_events",
    [sa.Column("event_number", sa.BigInteger, sa.Identity(always=True), nullable=False)],
    framed(PROVISIONING_EVENTS),
    required(INSTANT, "emitted_at"),
    optional(INSTANT, "acknowledged_at"),
    optional(TEXT, "acknowledged_by"),
    key=("event_number",),
)
plan_recommendations = table(
    "plan_recommendations",
    framed(PLAN_RECOMMENDATIONS),
    required(INSTANT, "compared_at"),
    key=("subscription_key",),
)
invoice_deliveries = table(
    "invoice_deliveries",
    required(TEXT, "invoice_number", "channel"),
    required(INSTANT, "delivered_at"),
    required(TEXT, "recorded_by"),
    key=("invoice_number", "channel"),
)
invoice_voids = table(
    "invoice_voids",
    required(TEXT, "invoice_number", "credit_note_number", "reason"),
    required(INSTANT, "voided_at"),
    required(TEXT, "voided_by"),
    key=("invoice_number",),
)
