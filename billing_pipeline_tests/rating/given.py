"""Small catalogs, cards and events that tests of rating start from."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Plan, Product
from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.customers.schema import SUBSCRIPTIONS
from billing_pipeline.mediation.schema import USAGE_EVENTS
from billing_pipeline.rating.price_book import PriceBook, price_book
from billing_pipeline.vocabulary.frames import FrameSchema

Row = Mapping[str, object]

UTC = dt.UTC
ZONE = "Europe/London"
NOON = dt.datetime(2026, 3, 4, 12, tzinfo=UTC)

VOICE = {"usage_type": "voice"}


def frame(schema: FrameSchema, defaults: Row, rows: Sequence[Row]) -> pl.DataFrame:
    """Rows of a schema from what each row says, then the defaults, then null."""
    whole = [{**dict.fromkeys(schema.names), **defaults, **row} for row in rows]
    return schema.conform(pl.DataFrame(whole, schema=schema.polars_schema))


def events(*rows: Row) -> pl.DataFrame:
    defaults = {
        "tenant_key": "tenant",
        "account_key": "a1",
        "subscription_key": "s1",
        "feed_key": "feed",
        "file_key": "file",
        "usage_type": "voice",
        "service_identifier": "441110",
        "direction": "outbound",
        "started_at": NOON,
        "quantity": Decimal(60),
        "unit": "s",
    }
    numbered = [{"record_number": number, **row} for number, row in enumerate(rows, start=1)]
    return frame(USAGE_EVENTS, defaults, numbered)


def plan(*prices: Row, **fields: object) -> Plan:
    defaults = {"product": "usage", "applies_to": VOICE}
    named = [
        {"key": f"p{number}", **defaults, **price} for number, price in enumerate(prices, start=1)
    ]
    return Plan.model_validate(
        {"key": "plan", "name": "Plan", "currency": "GBP", "prices": named, **fields}
    )


def card(key: str = "card", **fields: object) -> RateCard:
    return RateCard.model_validate({"key": key, "kind": "retail", "currency": "GBP", **fields})


def card_rows(*rows: Row) -> pl.DataFrame:
    defaults = {
        "card_key": "card",
        "valid_from": dt.date(2026, 1, 1),
        "band": "",
        "name": "somewhere",
        "unit_price": Decimal(1),
        "connection_fee": Decimal(0),
        "minimum_units": Decimal(0),
        "increment_units": Decimal(1),
    }
    return frame(RATE_CARD_PRICES, defaults, rows)


def subscriptions(*rows: Row) -> pl.DataFrame:
    defaults = {
        "subscription_key": "s1",
        "account_key": "a1",
        "plan_key": "plan",
        "quantity": Decimal(1),
        "started_on": dt.date(2020, 1, 1),
    }
    return frame(SUBSCRIPTIONS, defaults, rows or ({},))


def book(
    plans: Plan | Sequence[Plan],
    *,
    cards: Sequence[RateCard] = (),
    rows: pl.DataFrame | None = None,
    zone: str = ZONE,
    subscribed: pl.DataFrame | None = None,
    changes: pl.DataFrame | None = None,
) -> PriceBook:
    listed = (plans,) if isinstance(plans, Plan) else tuple(plans)
    products = (Product(key="usage", name="Usage", kind="usage"),)
    return price_book(
        Catalog(products=products, plans=listed, rate_cards=tuple(cards)),
        subscriptions() if subscribed is None else subscribed,
        RATE_CARD_PRICES.empty() if rows is None else rows,
        zone,
        changes,
    )


def at(text: str) -> dt.datetime:
    """UTC instant of ISO text."""
    return dt.datetime.fromisoformat(text).astimezone(UTC)
