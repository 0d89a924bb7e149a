"""Frames of usage files: registered, waiting, loaded, and of which days."""

import polars as pl

from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, optional, required
from billing_pipeline.vocabulary.money import QUANTITY

UNLOADED_FILES = FrameSchema(
    name="unloaded_files",
    grain="one row per registered usage file still to be loaded",
    columns={
        "file_id": required(pl.Int64, "number of the registration"),
        "tenant_key": required(pl.String, "owner of the feed"),
        "feed_key": required(pl.String, "feed"),
        "url": required(pl.String, "where it landed"),
        "name": required(pl.String, "file name"),
        "size_bytes": required(pl.Int64, "size"),
        "landing_day": required(pl.Date, "day it was registered for; partition of raw usage"),
        "landed_at": required(UTC_INSTANT, "when it was written to the landing zone"),
        "decided_by": optional(pl.String, "who released, discarded or reloaded it"),
    },
)

USAGE_FILES = FrameSchema(
    name="usage_files",
    grain="one row per registered usage file",
    columns={
        **UNLOADED_FILES.columns,
        "state": required(
            pl.String,
            "landed, archived, loaded, superseded, duplicate, empty, quarantined, discarded",
        ),
        "file_key": optional(pl.String, "content hash, once archived"),
        "archive_path": optional(pl.String, "where the archive keeps it"),
        "records": optional(pl.Int64, "records it held"),
        "accepted": optional(pl.Int64, "records handed on"),
        "suspended": optional(pl.Int64, "records in suspense"),
        "filtered": optional(pl.Int64, "records not billable"),
        "quantity": optional(QUANTITY, "sum of the quantities that could be read"),
        "reason": optional(pl.String, "why it was refused"),
        "message": optional(pl.String, "the refusal, for people"),
        "decision_note": optional(pl.String, "why"),
        "feed_valid_from": optional(pl.Date, "first day of the version that read it; null: first"),
        "sequence_number": optional(pl.Int64, "number it gives itself; null: by its name"),
    },
)

LANDED_DAYS = FrameSchema(
    name="landed_days",
    grain="one row per usage day that loaded files hold records of",
    columns={
        "usage_day": required(pl.Date, "UTC day of the events"),
        "first_landed": required(pl.Date, "first landing day of its files"),
        "last_landed": required(pl.Date, "last landing day of its files"),
    },
)

ARCHIVED_FILES = FrameSchema(
    name="archived_files",
    grain="one row per usage file that was just archived",
    columns={
        "file_id": required(pl.Int64, "number of the registration"),
        "file_key": required(pl.String, "content hash"),
        "archive_path": required(pl.String, "where the archive keeps it"),
    },
)

CONTENT_VERDICTS = FrameSchema(
    name="content_verdicts",
    grain="one row per archived usage file",
    columns={
        "file_id": required(pl.Int64, "number of the registration"),
        "is_duplicate": required(pl.Boolean, "its content came before, under whatever name"),
        "is_name_taken": required(pl.Boolean, "its name was loaded with other content"),
    },
)

LOADED_FILES = FrameSchema(
    name="loaded_files",
    grain="one row per usage file that was just loaded",
    columns={
        "file_id": required(pl.Int64, "number of the registration"),
        "records": required(pl.Int64, "records it held"),
        "accepted": required(pl.Int64, "records handed on"),
        "suspended": required(pl.Int64, "records in suspense"),
        "filtered": required(pl.Int64, "records not billable"),
        "quantity": required(QUANTITY, "quantity its records had when decoded"),
        "quantity_kept": required(QUANTITY, "quantity that the lake keeps of it"),
        "feed_valid_from": optional(pl.Date, "first day of the version that read it; null: first"),
    },
)

REFUSED_FILES = FrameSchema(
    name="refused_files",
    grain="one row per usage file that was just put aside",
    columns={
        "file_id": required(pl.Int64, "number of the registration"),
        "state": required(pl.String, "empty or quarantined"),
        "reason": required(pl.String, "a QuarantineReason, or empty"),
        "message": required(pl.String, "what is wrong, for people"),
    },
)

FILE_DAYS = FrameSchema(
    name="usage_file_days",
    grain="one row per usage file and usage day it holds records of",
    columns={
        "file_id": required(pl.Int64, "number of the registration"),
        "usage_day": required(pl.Date, "UTC day"),
        "records": required(pl.Int64, "records of the day"),
    },
)

FILE_BALANCES = FrameSchema(
    name="file_balances",
    grain="one row per loaded usage file: what was decoded beside what the lake keeps",
    columns={
        "file_id": required(pl.Int64, "number of the registration"),
        "name": required(pl.String, "file name"),
        "records": required(pl.Int64, "records it held"),
        "accepted": required(pl.Int64, "records handed on"),
        "suspended": required(pl.Int64, "records in suspense"),
        "filtered": required(pl.Int64, "records not billable"),
        "quantity": required(QUANTITY, "quantity its records had when decoded"),
        "quantity_kept": required(QUANTITY, "quantity that the lake keeps of it"),
    },
)
