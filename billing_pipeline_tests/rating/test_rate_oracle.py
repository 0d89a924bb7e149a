"""Random events of a random tenant, rated by the stage and by a plain Decimal loop."""

import datetime as dt
import random
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.rating.price_book import price_book
from billing_pipeline.rating.rate import rate
from billing_pipeline_tests.rating.given import Row, card, card_rows, events, plan, subscriptions
from billing_pipeline_tests.rating.oracle import Answer, Oracle

NEW_YORK = ZoneInfo("America/New_York")
BANDS = [
    {"key": "peak", "weekdays": ["mon", "tue", "wed", "thu", "fri"], "from_time": "08:00"}
    | {"until_time": "19:00"},
    {"key": "night", "from_time": "22:00", "until_time": "06:00"},
]
INCREMENTS = [("60", "60"), ("1", "1"), ("30", "6"), ("0", "0.5"), ("0", "7")]


def catalog() -> Catalog:
    calls = {
        "model": "rate_card",
        "card": "banded",
        "cost_deck": "deck",
        "priority": 10,
        "applies_to": {"usage_type": "voice", "direction": "outbound"},
    }
    inbound = {
        "model": "per_unit",
        "amount": "0.0457",
        "pricing_unit": "60",
        "priority": 50,
        "connection_fee": "0.01",
        "increments": {"minimum": "60", "increment": "60", "free_initial": "30"},
    }
    data = {"applies_to": {"usage_type": "data"}}
    prices: list[Row] = [
        calls,
        {**inbound, "valid_until": "2026-03-08"},
        {**inbound, "amount": "0.0633", "valid_from": "2026-03-08"},
        {**data, "model": "per_unit", "amount": "0.0000017", "pricing_unit": "1024"},
        {"model": "carried", "markup_percent": "12.5", "applies_to": {"usage_type": "premium"}},
        {"model": "latest", "amount": "4", "applies_to": {"usage_type": "seat"}},
    ]
    return Catalog(
        plans=(plan(*prices), plan({**calls, "card": "flat"}, inbound, key="other")),
        rate_cards=(card("banded", bands=BANDS), card("flat", pricing_unit="1"), card("deck")),
    )


def card_prices(chance: random.Random) -> pl.DataFrame:
    prefixes = {
        "1",
        "44",
        "447",
        "4479",
        *(str(chance.randrange(1, 10**digits)) for digits in (2, 3, 4, 5) for _ in range(150)),
    }
    rows = [
        {"card_key": key, "prefix": prefix, "band": band, **validity, **terms(chance)}
        for key in ("banded", "flat", "deck")
        for prefix in sorted(prefixes)
        for band in (("", "peak", "night") if key == "banded" else ("",))
        for validity in validities(chance)
    ]
    return card_rows(*rows)


def validities(chance: random.Random) -> list[Row]:
    change = dt.date(2026, 3, chance.choice([5, 9, 20]))
    before = {"valid_from": dt.date(2026, 1, 1), "valid_until": change}
    after = {"valid_from": change, "valid_until": None}
    return chance.choice([[before], [after], [before, after], []])


def terms(chance: random.Random) -> Row:
    minimum, increment = chance.choice(INCREMENTS)
    price = Decimal(chance.randrange(10**6)) / 10**6
    return {
        "unit_price": None if chance.random() < 0.05 else price,
        "connection_fee": Decimal(chance.choice(["0", "0", "0.0391"])),
        "minimum_units": Decimal(minimum),
        "increment_units": Decimal(increment),
    }


def random_event(chance: random.Random) -> Row:
    """Around a change of clocks, mostly of numbers that have a price."""
    seconds = chance.randrange(31 * 86_400)
    return {
        "subscription_key": chance.choice(["s1", "s2"]),
        "usage_type": chance.choice(["voice"] * 6 + ["data", "premium", "seat", "fax"]),
        "direction": chance.choice(["outbound", "outbound", "inbound", None]),
        "destination": str(chance.randrange(1, 10 ** chance.randrange(2, 16))),
        "started_at": dt.datetime(2026, 2, 20, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds),
        "quantity": chance.choice([Decimal(0), Decimal(chance.randrange(4000))])
        + chance.choice([Decimal(0), Decimal(chance.randrange(10**4)) / 10**4]),
        "carried_amount": Decimal(chance.randrange(-(10**6), 10**6)) / 10**7,
    }


def answers(accepted: pl.DataFrame, suspended: pl.DataFrame) -> dict[int, Answer]:
    rated = accepted.select(
        "record_number", "price_key", "billable_units", "amount", "cost_amount", "rate_prefix",
        "rate_band", reason=pl.lit(None, dtype=pl.String),
    )  # fmt: skip
    bad = suspended.select("record_number", *rated.columns[1:-1], "reason")
    return {row[0]: Answer(*row[1:]) for row in [*rated.iter_rows(), *bad.iter_rows()]}


def assert_agreement(count: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable cases, no secrets
    sold, prices = catalog(), card_prices(chance)
    subscribed = subscriptions(
        {"subscription_key": "s1"}, {"subscription_key": "s2", "plan_key": "other"}
    )
    oracle = Oracle(sold, subscribed.to_dicts(), prices.to_dicts())
    given = [random_event(chance) for _ in range(count)]

    outcome = rate(events(*given), price_book(sold, subscribed, prices, NEW_YORK.key))

    empty = pl.lit(None)
    found = answers(
        outcome.accepted,
        outcome.suspended.with_columns(
            price_key=empty, billable_units=empty, amount=empty, cost_amount=empty,
            rate_prefix=empty, rate_band=empty,
        ),
    )  # fmt: skip
    expected = {n: oracle.rate(event, NEW_YORK) for n, event in enumerate(given, start=1)}
    wrong = {n: (given[n - 1], found[n], expected[n]) for n in found if found[n] != expected[n]}
    assert not wrong, list(wrong.values())[:3]
    assert len(found) == count
    assert_variety(outcome.accepted, outcome.suspended)


def assert_variety(accepted: pl.DataFrame, suspended: pl.DataFrame) -> None:
    """The random tenant is not so odd that a path is hardly taken."""
    least = accepted.height // 100
    assert accepted.height > suspended.height // 2
    assert min(accepted.get_column("price_key").value_counts().get_column("count")) > least
    for column in ("rate_prefix", "rate_band", "cost_amount", "connection_fee"):
        assert accepted.get_column(column).count() > least
    assert set(suspended.get_column("reason")) == {"no_price", "no_destination"}


def test_a_hundred_thousand_random_events_are_rated_as_by_hand() -> None:
    assert_agreement(100_000, seed=7)


@pytest.mark.slow
def test_a_million_random_events_are_rated_as_by_hand() -> None:
    for seed in range(10):
        assert_agreement(100_000, seed)


def test_plans_of_the_random_tenant_sell_every_model_of_an_event() -> None:
    sold: tuple[Plan, ...] = catalog().plans

    models = {price.model for declared in sold for price in declared.prices}

    assert models == {"rate_card", "per_unit", "carried", "latest"}
