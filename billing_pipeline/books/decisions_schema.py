"""Frames of what people decided and what waits for them."""

import polars as pl

from billing_pipeline.assurance.schema import FINDINGS
from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, optional, required
from billing_pipeline.vocabulary.money import QUANTITY

AUDIT_LOG = FrameSchema(
    name="audit_log",
    grain="one row per decision of a person",
    columns={
        "tenant_key": required(pl.String, "tenant; empty for the installation"),
        "audit_number": required(pl.Int64, "order of logging; may have gaps"),
        "logged_at": required(UTC_INSTANT, "when, by the server's clock"),
        "actor": required(pl.String, "who"),
        "action": required(pl.String, "applied, released, discarded, reloaded, accepted ..."),
        "subject": required(pl.String, "what it was about"),
        "note": required(pl.String, "why"),
    },
)

SUSPENSE_STATES = FrameSchema(
    name="suspense_states",
    grain="one row per suspended record and stage",
    columns={
        "tenant_key": required(pl.String, "whose partition holds it"),
        "stage": required(pl.String, "decode, mediate or rate"),
        "feed_key": required(pl.String, "feed that read it"),
        "file_key": required(pl.String, "content hash of the usage file"),
        "record_number": required(pl.Int64, "position in the file, from 1"),
        "partition_day": required(pl.Date, "partition of the suspense frame"),
        "reason": required(pl.String, "latest reason"),
        "state": required(
            pl.String,
            "open; recycled: it went on; resolved: gone without ever going on; or written_off",
        ),
        "attempts": required(pl.Int64, "runs that suspended it"),
        "first_seen_at": required(UTC_INSTANT, "first run that suspended it"),
        "last_seen_at": required(UTC_INSTANT, "last run that suspended it"),
        "decided_by": optional(pl.String, "who wrote it off"),
        "decision_note": optional(pl.String, "why"),
        "service_identifier": optional(pl.String, "identifier, where it could be read"),
        "started_at": optional(UTC_INSTANT, "instant, where it could be read"),
        "quantity": optional(QUANTITY, "quantity, where it could be read"),
        "closed_at": optional(UTC_INSTANT, "when its wait ended"),
    },
)

APPROVALS = FrameSchema(
    name="approvals",
    grain="one row per thing that waits or waited for a person",
    columns={
        "tenant_key": required(pl.String, "tenant"),
        "kind": required(pl.String, "off_cycle_run, held_account, large_correction ..."),
        "subject": required(pl.String, "what is to be approved"),
        "message": required(pl.String, "why it waits, for people"),
        "requested_at": required(UTC_INSTANT, "when"),
        "requested_by": required(pl.String, "who or what asked"),
        "state": required(pl.String, "pending, approved or refused"),
        "decided_at": optional(UTC_INSTANT, "when it was decided"),
        "decided_by": optional(pl.String, "who decided; never who asked"),
        "decision_note": optional(pl.String, "why"),
    },
)

KEPT_FINDINGS = FrameSchema(
    name="kept_findings",
    grain="one row per subject a control found something wrong with",
    columns={
        "tenant_key": required(pl.String, "tenant; empty for the installation"),
        **FINDINGS.columns,
        "state": required(pl.String, "open, resolved or accepted"),
        "first_seen_at": required(UTC_INSTANT, "first run that found it"),
        "last_seen_at": required(UTC_INSTANT, "last run that found it"),
        "sightings": required(pl.Int64, "runs that found it"),
        "resolved_at": optional(UTC_INSTANT, "first run that found it gone"),
        "decided_by": optional(pl.String, "who accepted it"),
        "decision_note": optional(pl.String, "why"),
        "account_key": optional(pl.String, "billing account it stops; null: the tenant"),
        "assigned_to": optional(pl.String, "who looks after it"),
        "assignment_note": optional(pl.String, "what was said about it last"),
    },
)
