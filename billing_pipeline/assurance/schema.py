"""Frames assurance hands on."""

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema, optional, required
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

CONSERVATION = FrameSchema(
    name="conservation",
    grain="one row per stage, partition day, tenant and feed; a key may be an empty string",
    columns={
        "stage": required(pl.String, "decode, mediate or rate"),
        "partition_day": required(pl.Date, "landing day for decode, usage day after it"),
        "tenant_key": required(pl.String, "tenant; empty while no tenant is known"),
        "feed_key": required(pl.String, "feed; empty where stages work over feeds"),
        "records_in": required(pl.Int64, "records given"),
        "accepted": required(pl.Int64, "records handed on"),
        "duplicates": required(pl.Int64, "records seen before"),
        "suspended": required(pl.Int64, "records in suspense"),
        "filtered": required(pl.Int64, "records not billable"),
        "quantity_in": required(QUANTITY, "quantity given"),
        "quantity_out": required(QUANTITY, "quantity of the four parts"),
    },
)

FINDINGS = FrameSchema(
    name="findings",
    grain="one row per thing a control found wrong",
    columns={
        "control": required(pl.String, "name of the control"),
        "severity": required(pl.String, "warn or block"),
        "subject": required(pl.String, "what it is about: day, account, invoice ..."),
        "message": required(pl.String, "what is wrong and what to do, for people"),
    },
)

ACCOUNT_FINDINGS = FrameSchema(
    name="account_findings",
    grain="one row per thing a control found wrong, with the billing account it concerns",
    columns={
        **FINDINGS.columns,
        "account_key": optional(
            pl.String, "account whose issue a blocking finding stops; null: the tenant's"
        ),
    },
)

LAKE_PARTS = FrameSchema(
    name="lake_parts",
    grain="one row per current file of the lake",
    columns={
        "frame": required(pl.String, "what it holds a part of"),
        "partition_day": required(pl.Date, "day of its partition"),
        "path": required(pl.String, "where it lies; its name is the digest of its content"),
        "rows": required(pl.Int64, "rows it holds"),
        "fault": optional(pl.String, "missing or changed; null where it is as it was written"),
    },
)

USAGE_PER_DAY = FrameSchema(
    name="usage_per_day",
    grain="one row per subscription, price and local day with rated usage",
    columns={
        "account_key": required(pl.String, "billing account"),
        "subscription_key": required(pl.String, "subscription"),
        "price_key": required(pl.String, "price that took the events"),
        "local_date": required(pl.Date, "local day"),
        "events": required(pl.Int64, "rated events"),
        "units": required(QUANTITY, "billable units"),
        "amount": required(AMOUNT, "sum of event prices; zero if priced over the period"),
    },
)

LANDED_FILES = FrameSchema(
    name="landed_files",
    grain="one row per registered usage file",
    columns={
        "feed_key": required(pl.String, "feed"),
        "name": required(pl.String, "name it landed under"),
        "file_key": optional(pl.String, "content hash, once archived"),
        "landing_day": required(pl.Date, "day it landed"),
        "state": required(pl.String, "landed, archived, loaded, duplicate, empty ..."),
        "sequence_number": optional(pl.Int64, "number it gives itself; null: by its name"),
    },
)

RATE_CARD_AGES = FrameSchema(
    name="rate_card_ages",
    grain="one row per rate card or deck",
    columns={
        "card_key": required(pl.String, "rate card"),
        "prices": required(pl.Int64, "prices of any time"),
        "newest_from": required(pl.Date, "first day of its newest price"),
        "held_until": optional(pl.Date, "day after the last of its prices; null is open"),
    },
)
