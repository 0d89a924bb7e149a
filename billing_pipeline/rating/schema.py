"""Frames rating hands on."""

import polars as pl

from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, optional, required
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

RATED_USAGE = FrameSchema(
    name="rated_usage",
    grain="one row per rated usage event; amounts unrounded",
    columns={
        "account_key": required(pl.String, "billing account"),
        "subscription_key": required(pl.String, "subscription"),
        "product_key": required(pl.String, "usage product"),
        "price_key": required(pl.String, "price of the plan that took the event"),
        "file_key": required(pl.String, "content hash of the usage file"),
        "record_number": required(pl.Int64, "position of the record in its file, from 1"),
        "usage_type": required(pl.String, "kind of usage"),
        "direction": optional(pl.String, "inbound, outbound or as the feed declares"),
        "started_at": required(UTC_INSTANT, "instant the event began"),
        "origin": optional(pl.String, "normalised originating number or address"),
        "destination": optional(pl.String, "normalised destination"),
        "quantity": required(QUANTITY, "measured quantity"),
        "billable_units": required(QUANTITY, "after free initial, minimum and increment"),
        "unit_price": optional(AMOUNT, "price per pricing unit; null if priced over the period"),
        "connection_fee": optional(AMOUNT, "fee per event; null if none"),
        "amount": required(AMOUNT, "event price; zero if priced over the period"),
        "cost_amount": optional(AMOUNT, "supplier cost; null if no cost deck"),
        "currency": required(pl.String, "ISO 4217 code of amount and cost_amount"),
        "rate_name": optional(pl.String, "destination or rate name, for people"),
        "rate_prefix": optional(pl.String, "prefix that matched in the sales card"),
        "rate_band": optional(pl.String, "time band that priced it"),
        "rate_valid_from": optional(pl.Date, "validity start of the card version that priced it"),
        "cost_prefix": optional(pl.String, "prefix that matched in the cost deck"),
        "spans": optional(pl.String, "time bands a split event lay in: band, units, price; ..."),
        "meter_group": optional(pl.String, "group of a metered event that is aggregated apart"),
        "meter_value": optional(pl.String, "value of a metered event that is counted once"),
        "increments": optional(
            pl.String, "first and next step of billable units, 30/6; null as measured"
        ),
    },
)
