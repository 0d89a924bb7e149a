"""Frames catalog hands on."""

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema, optional, required
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

RATE_CARD_PRICES = FrameSchema(
    name="rate_card_prices",
    grain="one row per card, validity, prefix and time band",
    columns={
        "card_key": required(pl.String, "rate card or supplier deck"),
        "valid_from": required(pl.Date, "first local day of the price"),
        "valid_until": optional(pl.Date, "local day after the last; null is open"),
        "prefix": required(pl.String, "E.164 digits without +"),
        "band": required(pl.String, "time band; empty string is any time"),
        "name": required(pl.String, "destination, for people"),
        "unit_price": optional(AMOUNT, "price per pricing unit of the card; null is blocked"),
        "connection_fee": required(AMOUNT, "fee per event"),
        "minimum_units": required(QUANTITY, "least billable quantity of one event"),
        "increment_units": required(QUANTITY, "step billable quantity is rounded up to"),
    },
)

CATALOG_ENTRIES = FrameSchema(
    name="catalog_entries",
    grain="one row per configured thing, or per validity of a priced one; kind, key unique",
    columns={
        "kind": required(
            pl.String, "product, plan, price, discount, tax_rate, rate_card, feed, order"
        ),
        "entry_key": required(pl.String, "key; plan/price/valid_from for prices"),
        "valid_from": required(pl.Date, "first local day; ALWAYS where a kind has no validity"),
        "valid_until": optional(pl.Date, "local day after the last; null is open"),
        "document": required(pl.String, "the thing as canonical JSON: sorted keys, no spaces"),
    },
)
