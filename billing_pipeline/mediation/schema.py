"""Frames mediation hands on."""

import polars as pl

from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, optional, required
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

_ORIGIN = {
    "feed_key": required(pl.String, "feed whose definition read the file"),
    "file_key": required(pl.String, "content hash of the usage file"),
    "record_number": required(pl.Int64, "position of the record in its file, from 1"),
}

_EVENT = {
    "usage_type": required(
        pl.String, "kind of usage: voice, api_call, traffic, licence, meter ..."
    ),
    "service_identifier": required(pl.String, "normalised identifier that owns the event"),
    "direction": optional(pl.String, "inbound, outbound or as the feed declares"),
    "origin": optional(pl.String, "normalised originating number or address"),
    "destination": optional(pl.String, "normalised destination; for calls E.164 digits without +"),
    "started_at": required(UTC_INSTANT, "instant the event began"),
    "quantity": required(QUANTITY, "measured quantity, never rounded here"),
    "unit": required(pl.String, "unit of quantity: s, request, GB, bit/s, seat, kWh ..."),
    "carried_amount": optional(AMOUNT, "price given in the record itself, major units"),
    "attributes": optional(pl.String, "other declared fields as a JSON object, keys sorted"),
    "flags": optional(pl.String, "accepted with remarks, comma separated"),
}

RAW_USAGE = FrameSchema(
    name="raw_usage",
    grain="one row per well-formed billable record of a usage file",
    columns={
        **_ORIGIN,
        "identity": required(pl.String, "declared identity of the record inside its feed"),
        **_EVENT,
        "record_kind": optional(
            pl.String, "`reversal` takes back the usage of the same identity; null is usage"
        ),
        "version": optional(pl.String, "of one identity the greatest wins; null: first wins"),
        "session_key": optional(pl.String, "session the record is a part of; null: complete"),
        "session_part": optional(pl.String, "first, middle or last"),
        "session_mode": optional(pl.String, "how parts become one: delta, cumulative, span"),
    },
)

USAGE_EVENTS = FrameSchema(
    name="mediated_usage",
    grain="one row per distinct usage event with a known owner",
    columns={
        "tenant_key": required(pl.String, "tenant that bills the event"),
        "account_key": required(pl.String, "billing account that owns the subscription"),
        "subscription_key": required(pl.String, "subscription the event is guided to"),
        **_ORIGIN,
        **_EVENT,
    },
)

SUSPENSE = FrameSchema(
    name="suspense",
    grain="one row per record a stage could not take on",
    columns={
        "tenant_key": optional(pl.String, "tenant, once known"),
        **_ORIGIN,
        "stage": required(pl.String, "stage that suspended it: decode, mediate, rate"),
        "reason": required(pl.String, "a SuspenseReason"),
        "detail": optional(pl.String, "field and value, for people"),
        "raw": optional(pl.String, "the record as it stood in its file"),
        "service_identifier": optional(pl.String, "identifier, where it could be read"),
        "started_at": optional(UTC_INSTANT, "instant, where it could be read"),
        "quantity": optional(QUANTITY, "quantity, where it could be read"),
    },
)

SET_ASIDE = FrameSchema(
    name="set_aside",
    grain="one row per duplicate or filtered record",
    columns={
        "tenant_key": optional(pl.String, "tenant, once known"),
        **_ORIGIN,
        "stage": required(pl.String, "stage that set it aside"),
        "reason": required(pl.String, "duplicate, superseded, or a FilterReason"),
        "started_at": optional(UTC_INSTANT, "instant, where it could be read"),
        "quantity": optional(QUANTITY, "quantity, where it could be read"),
    },
)

IDENTIFIER_GAPS = FrameSchema(
    name="identifier_gaps",
    grain="one row per identifier whose use and inventory do not agree in a span",
    columns={
        "finding": required(pl.String, "used_not_assigned or assigned_not_used"),
        "tenant_key": optional(pl.String, "tenant of the identifier, where it is known"),
        "identifier": required(pl.String, "as used, or as configured"),
        "status": optional(pl.String, "state in the inventory; null is not in it"),
        "subscription_key": optional(pl.String, "owner of what is not used"),
        "records": required(pl.Int64, "records that use it"),
        "first_at": optional(UTC_INSTANT, "first use"),
        "last_at": optional(UTC_INSTANT, "last use"),
    },
)

GUIDE = FrameSchema(
    name="guide",
    grain="one row per identifier and span in which one subscription owns it, all tenants",
    columns={
        "identifier": required(pl.String, "normalised identifier, its prefix or its range"),
        "match": required(pl.String, "exact, prefix or range"),
        "status": required(pl.String, "assigned, or in_stock, ported_out, quarantined: no owner"),
        "tenant_key": required(pl.String, "tenant of the identifier"),
        "account_key": optional(pl.String, "billing account of the subscription"),
        "subscription_key": optional(pl.String, "owner; null unless assigned"),
        "valid_from": required(UTC_INSTANT, "owned from this instant"),
        "valid_until": optional(UTC_INSTANT, "owned until before this instant; null is open"),
        "service_from": optional(UTC_INSTANT, "subscription starts, tenant's local midnight"),
        "service_until": optional(UTC_INSTANT, "subscription ended before; null is open"),
    },
)
