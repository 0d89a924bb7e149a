"""Our own stages over the same files: everything they check and write included."""

import datetime as dt
from pathlib import Path

import polars as pl

from billing_pipeline.bench.contest import Clock
from billing_pipeline.bench.usage_files import FIRST_DAY, Inputs
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.lake.store import Lake
from billing_pipeline.mediation.decode import decode_blocks
from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.mediation.schema import GUIDE, RAW_USAGE, USAGE_EVENTS
from billing_pipeline.orchestration.ahead import one_ahead
from billing_pipeline.rating.price_book import PriceBook, price_book
from billing_pipeline.rating.rate import rate_in_slices
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.frames import parts_by

FEED = Feed.model_validate(
    {
        "key": "calls",
        "name": "Switch",
        "match": {"file_name": "calls.csv"},
        "frame": {"framing": "delimited", "header": "names"},
        "fields": {
            "call_id": {"required": True},
            "started_at": {
                "type": "time",
                "source": "start",
                "formats": ["%Y-%m-%d %H:%M:%S"],
                "zone": "UTC",
            },
            "caller": {"source": "src"},
            "called": {"source": "dst"},
            "seconds": {"type": "integer", "source": "billsec"},
            "result": {"source": "disposition"},
        },
        "identity": ["call_id"],
        "records": {
            "selector": "result",
            "types": [
                {"values": ["ANSWERED"], "action": "usage"},
                {"values": ["NO ANSWER"], "action": "filter", "reason": "not_answered"},
            ],
        },
        "event": {
            "usage_type": "voice",
            "service_identifier": "caller",
            "direction": "outbound",
            "origin": "caller",
            "destination": "called",
            "started_at": "started_at",
            "quantity": "seconds",
            "unit": "s",
        },
    }
)

PLAN = Plan.model_validate(
    {
        "key": "plan",
        "name": "Calls",
        "currency": "GBP",
        "prices": [
            {
                "key": "calls",
                "product": "calls",
                "model": "rate_card",
                "card": "card",
                "applies_to": {"usage_type": "voice"},
            }
        ],
    }
)

LANDED_AT = FIRST_DAY + dt.timedelta(days=40)
MEDIATED = "mediated_usage"


def run(folder: Path, scratch: Path, clock: Clock) -> None:
    """The whole path: CSV, decode, mediate, rate, Parquet at each stage, totals."""
    inputs, lake = Inputs(folder), Lake(str(scratch))
    load_checks()
    with clock.phase("decode"):
        raw = _decoded(inputs, lake)
    guide = _guide(inputs)
    with clock.phase("mediate"):
        mediated = [_mediated(lake, paths, guide) for paths in raw.values()]
    rate_and_sum(lake, mediated, inputs, clock).write_parquet(inputs.totals("ours"))


def load_checks() -> None:
    """Import what checks frames before the clock runs; a worker does it once in its life."""
    USAGE_EVENTS.conform(USAGE_EVENTS.empty())


def _decoded(inputs: Inputs, lake: Lake) -> dict[dt.date, list[str]]:
    """Raw usage by usage day; suspense and what was filtered are written too."""
    raw: dict[dt.date, list[str]] = {}
    with inputs.calls.open("rb") as stream:
        for outcome in one_ahead(decode_blocks(FEED, stream, "0" * 32, landed_at=LANDED_AT)):
            lake.write(outcome.suspended, "decode_suspense")
            lake.write(outcome.filtered, "decode_set_aside")
            accepted = outcome.accepted
            for day, part in parts_by(accepted, accepted.get_column("started_at").dt.date()):
                raw.setdefault(day, []).append(lake.write(part, "raw_usage").path)
    return raw


def _mediated(lake: Lake, paths: list[str], guide: pl.DataFrame) -> str:
    outcome = mediate(lake.scan(paths, RAW_USAGE).collect(), guide)
    lake.write(outcome.suspended, "mediate_suspense")
    lake.write(outcome.duplicates, "mediate_set_aside")
    return lake.write(outcome.accepted, MEDIATED).path


def rate_and_sum(lake: Lake, mediated: list[str], inputs: Inputs, clock: Clock) -> pl.DataFrame:
    """Rate the mediated parts, and what each account's usage comes to."""
    rated = []
    with clock.phase("rate"):
        book = _book(inputs)
        for path in mediated:
            events = lake.scan([path], USAGE_EVENTS).collect()
            for outcome in rate_in_slices(events, book):
                lake.write(outcome.suspended, "rate_suspense")
                rated.append(lake.write(outcome.accepted, "rated_usage").path)
    with clock.phase("totals"):
        return (
            lake.scan(rated, RATED_USAGE)
            .group_by("account_key")
            .agg(events=pl.len().cast(pl.Int64), amount=pl.col("amount").sum())
            .sort("account_key")
            .collect(engine="streaming")
        )


def _owners(inputs: Inputs) -> pl.DataFrame:
    return pl.read_csv(inputs.accounts, schema_overrides={"number": pl.String}).with_columns(
        subscription_key=pl.format("S-{}", "account_key")
    )


def _guide(inputs: Inputs) -> pl.DataFrame:
    since, until = pl.lit(dt.datetime(2020, 1, 1, tzinfo=dt.UTC)), pl.lit(None, pl.Datetime("us"))
    guide = _owners(inputs).select(
        pl.col("number").alias("identifier"),
        pl.lit("exact").alias("match"),
        pl.lit("assigned").alias("status"),
        pl.lit("tenant").alias("tenant_key"),
        "account_key",
        "subscription_key",
        since.alias("valid_from"),
        until.dt.replace_time_zone("UTC").alias("valid_until"),
        since.alias("service_from"),
        until.dt.replace_time_zone("UTC").alias("service_until"),
    )
    return GUIDE.conform(guide)


def _book(inputs: Inputs) -> PriceBook:
    decimal = pl.Decimal(38, 10)
    card = pl.read_csv(inputs.card, schema_overrides={"prefix": pl.String, "unit_price": decimal})
    prices = card.with_columns(
        pl.col("minimum_units", "increment_units").cast(decimal),
        card_key=pl.lit("card"),
        valid_from=pl.lit(dt.date(2026, 1, 1)),
        valid_until=pl.lit(None, dtype=pl.Date),
        band=pl.lit(""),
        connection_fee=pl.lit(0).cast(decimal),
    )
    subscriptions = _owners(inputs).select("subscription_key", plan_key=pl.lit("plan"))
    catalog = Catalog(
        plans=(PLAN,), rate_cards=(RateCard(key="card", kind="retail", currency="GBP"),)
    )
    return price_book(catalog, subscriptions, RATE_CARD_PRICES.conform(prices), "Europe/London")
