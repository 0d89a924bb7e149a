"""Frames assurance hands on."""

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema, required
from billing_pipeline.vocabulary.money import QUANTITY

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
