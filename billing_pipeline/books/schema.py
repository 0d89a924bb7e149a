"""Frames the books hand on that no other room hands to them."""

import polars as pl

from billing_pipeline.invoicing.schema import INVOICE_LINES, INVOICE_TAXES, INVOICES
from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, optional, required

ENTRIES = FrameSchema(
    name="catalog_entries",
    grain="one row per configured thing and span of validity",
    columns={
        "kind": required(pl.String, "product, plan, discount, tax_rate, rate_card, feed ..."),
        "entry_key": required(pl.String, "key of the thing"),
        "valid_from": optional(pl.Date, "first local day; null is always"),
        "valid_until": optional(pl.Date, "local day after the last; null is open"),
        "document": required(pl.String, "its configuration as a JSON object"),
    },
)

REVISION_CHANGES = FrameSchema(
    name="revision_changes",
    grain="one row per configured thing that a revision adds, changes or removes",
    columns={
        "kind": required(pl.String, "kind of entry, or accounts, subscriptions ..."),
        "key": required(pl.String, "key of the row"),
        "change": required(pl.String, "added, changed or removed"),
    },
)

TENANT_DOCUMENTS = FrameSchema(
    name="tenant_documents",
    grain="one row per tenant",
    columns={
        "tenant_key": required(pl.String, "tenant"),
        "parent_key": optional(pl.String, "tenant above it"),
        "document": required(pl.String, "tenant.yaml as a JSON object"),
    },
)

STALE_DAYS = FrameSchema(
    name="stale_days",
    grain="one row per tenant and usage day to be computed again",
    columns={
        "tenant_key": required(pl.String, "tenant"),
        "usage_day": required(pl.Date, "UTC day of the events"),
        "touched": required(pl.Int64, "counter to report back when the day is done"),
    },
)

DUE_BILL_DAYS = FrameSchema(
    name="due_bill_days",
    grain="one row per tenant and local day that is due and not completed",
    columns={
        "tenant_key": required(pl.String, "tenant"),
        "bill_day": required(pl.Date, "local day"),
        "attempt": required(pl.Int64, "number of this attempt, from 1"),
    },
)

PARTITION_PATHS = FrameSchema(
    name="partition_paths",
    grain="one row per current file of a frame in the lake",
    columns={
        "partition_day": required(pl.Date, "day of the partition"),
        "chunk": required(pl.String, "part of the partition"),
        "path": required(pl.String, "where it lies"),
        "rows": required(pl.Int64, "rows in it"),
        "version": required(pl.Int64, "version of the partition that brought it"),
    },
)

GATE_PROBLEMS = FrameSchema(
    name="gate_problems",
    grain="one row per reason not to bill a span of days yet",
    columns={
        "problem": required(pl.String, "not_conserved or stale"),
        "tenant_key": required(pl.String, "tenant whose row it is"),
        "stage": required(pl.String, "stage that has to run or be mended"),
        "partition_day": required(pl.Date, "day"),
        "detail": required(pl.String, "for people"),
    },
)

ISSUED_INVOICES = FrameSchema(
    name="issued_invoices",
    grain="one row per issued document",
    columns={
        **INVOICES.columns,
        "invoice_number": required(pl.String, "number of the document"),
        "series": required(pl.String, "series it is numbered in"),
        "issued_at": required(UTC_INSTANT, "instant of the bill run"),
    },
)

ISSUED_LINES = FrameSchema(
    name="issued_lines",
    grain="one row per line of an issued document",
    columns={
        "invoice_number": required(pl.String, "number of the document"),
        **INVOICE_LINES.columns,
    },
)

ISSUED_TAXES = FrameSchema(
    name="issued_taxes",
    grain="one row per issued document, tax code and rate",
    columns={
        "invoice_number": required(pl.String, "number of the document"),
        **INVOICE_TAXES.columns,
    },
)

RECORDED_DOCUMENTS = FrameSchema(
    name="recorded_documents",
    grain="one row per rendering of an issued document",
    columns={
        "invoice_number": required(pl.String, "number of the document"),
        "kind": required(pl.String, "pdf, html, csv ..."),
        "path": required(pl.String, "where the store keeps it"),
        "sha256": required(pl.String, "digest of its bytes"),
    },
)

MISSING_DOCUMENTS = FrameSchema(
    name="missing_documents",
    grain="one row per issued document without a rendering of the kind asked for",
    columns={
        "invoice_number": required(pl.String, "number of the document"),
        "invoice_key": required(pl.String, "natural key of the document"),
        "account_key": required(pl.String, "billing account that pays"),
        "bill_day": required(pl.Date, "local day of the bill run"),
        "lines": required(pl.Int64, "number of lines"),
    },
)

PARTS_TO_VERIFY = FrameSchema(
    name="parts_to_verify",
    grain="one row per current file of the lake that is to be looked at",
    columns={
        "frame": required(pl.String, "what it holds a part of"),
        "partition_day": required(pl.Date, "day of its partition"),
        "path": required(pl.String, "where it lies; its name is the digest of its content"),
        "rows": required(pl.Int64, "rows it holds"),
        "stamps": optional(pl.String, "what it looked like when it was verified last"),
        "fault": optional(pl.String, "what was wrong then"),
        "verified_at": optional(UTC_INSTANT, "when that was; null if never"),
    },
)

USAGE_SUMMARY = FrameSchema(
    name="usage_summary",
    grain="one row per owner of feeds and state of its files",
    columns={
        "tenant_key": required(pl.String, "owner of the feeds"),
        "state": required(pl.String, "state of the files"),
        "files": required(pl.Int64, "files"),
        "records": required(pl.Int64, "records in them"),
        "accepted": required(pl.Int64, "records handed on"),
        "suspended": required(pl.Int64, "records in suspense"),
        "filtered": required(pl.Int64, "records not billable"),
    },
)

STAGE_SUMMARY = FrameSchema(
    name="stage_summary",
    grain="one row per stage and tenant",
    columns={
        "stage": required(pl.String, "decode, mediate or rate"),
        "tenant_key": required(pl.String, "tenant; empty while none is known"),
        "records_in": required(pl.Int64, "records given"),
        "accepted": required(pl.Int64, "records handed on"),
        "duplicates": required(pl.Int64, "records seen before"),
        "suspended": required(pl.Int64, "records in suspense"),
        "filtered": required(pl.Int64, "records not billable"),
    },
)

INVOICE_SUMMARY = FrameSchema(
    name="invoice_summary",
    grain="one row per tenant, document kind and currency",
    columns={
        "tenant_key": required(pl.String, "tenant"),
        "document_kind": required(pl.String, "invoice or credit_note"),
        "currency": required(pl.String, "ISO 4217 code"),
        "documents": required(pl.Int64, "documents issued"),
        "net_minor": required(pl.Int64, "sum of nets"),
        "tax_minor": required(pl.Int64, "sum of taxes"),
        "total_minor": required(pl.Int64, "sum of totals"),
    },
)

JOURNAL_SUMMARY = FrameSchema(
    name="journal_summary",
    grain="one row per tenant and currency",
    columns={
        "tenant_key": required(pl.String, "tenant"),
        "currency": required(pl.String, "ISO 4217 code"),
        "entries": required(pl.Int64, "journal entries"),
        "debits_minor": required(pl.Int64, "sum of debits"),
        "credits_minor": required(pl.Int64, "sum of credits, positive"),
    },
)
