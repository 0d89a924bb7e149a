"""Random events of a random tenant, rated by the stage and by a plain Decimal loop."""

import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.mediation.schema import USAGE_EVENTS
from billing_pipeline.rating.models.registry import EVENT_MODELS
from billing_pipeline.rating.price_book import price_book
from billing_pipeline.rating.rate import rate
from billing_pipeline_tests.rating.given import Row, card, card_rows, events, plan, subscriptions
from billing_pipeline_tests.rating.oracle import Answer, Oracle

NEW_YORK = ZoneInfo("America/New_York")
BANDS: list[Row] = [
    {"key": "peak", "weekdays": ["mon", "tue", "wed", "thu", "fri"], "from_time": "08:00"}
    | {"until_time": "19:00"},
    {"key": "night", "from_time": "22:00", "until_time": "06:00"},
]
BY_TIME: Row = {
    "model": "time_of_day",
    "amount": "0.09",
    "pricing_unit": "60",
    "holidays": ["2026-03-10"],
    "increments": {"minimum": "30", "increment": "6", "free_initial": "4"},
    "bands": [
        {"key": "rest", "weekdays": ["sun", "holiday"], "amount": "0.03"},
        {"key": "spring", "from_day": "03-15", "until_day": "06-01", "from_time": "08:00",
         "until_time": "19:00", "amount": "0.21", "connection_fee": "0.02"},
        *({**band, "amount": amount} for band, amount in zip(BANDS, ("0.17", "0.05"), strict=True)),
    ],
}  # fmt: skip
FLAT: Row = {"free_initial": "3", "rounding": "nearest", "counted_as": [{"up_to": 9, "units": 20}]}
INCREMENTS = [("60", "60"), ("1", "1"), ("30", "6"), ("0", "0.5"), ("0", "7")]


OTHERS = [
    *("data", "premium", "individual", "seat", "fax", "payment", "conference", "roaming", "resale"),
    *("by_time", "by_time", "by_start"),
]


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
        "increments": {"minimum": "60", "increment": "60", "free_initial": "30"}
        | {"counted_as": [{"up_to": "7.5", "units": "0"}, {"up_to": "1800", "units": "1500"}]},
    }
    data = {"applies_to": {"usage_type": "data"}}
    prices: list[Row] = [
        calls,
        {**inbound, "valid_until": "2026-03-08"},
        {**inbound, "amount": "0.0633", "valid_from": "2026-03-08"},
        {**data, "model": "per_unit", "amount": "0.0000017", "pricing_unit": "1024",
         "increments": {"increment": "0.3", "rounding": "down"}},
        {"model": "carried", "markup_percent": "12.5", "applies_to": {"usage_type": "premium"}},
        {"model": "carried", "carries": "unit_price", "markup_percent": "-3.5",
         "pricing_unit": "60", "applies_to": {"usage_type": "individual"}},
        {"model": "latest", "amount": "4", "applies_to": {"usage_type": "seat"}},
        {"model": "percentage", "percent": "2.9", "fixed": "0.003", "minimum": "0.0005",
         "maximum": "0.004", "applies_to": {"usage_type": "payment"}},
        {"model": "per_event_steps", "pricing_unit": "60", "connection_fee": "0.01",
         "tiers": [{"up_to": "1", "amount": "0.10", "flat_fee": "0.02"},
                   {"up_to": "20", "amount": "0.07"}, {"up_to": "50", "amount": "0.04"}],
         "beyond": "refuse", "applies_to": {"usage_type": "conference"}},
        {"model": "zone_matrix", "pricing_unit": "60", "applies_to": {"usage_type": "roaming"},
         "zones": {"one": ["1", "2"], "two": ["4", "12"], "three": ["44", "7"]},
         "increments": {"minimum": "30", "increment": "6", "rounding": "nearest"},
         "prices": [{"origin": "one", "destination": "two", "amount": "0.031"},
                    {"destination": "three", "amount": "0.33", "connection_fee": "0.05"},
                    {"origin": "three", "amount": "0.017"}]},
        {"model": "cost_plus", "cost_deck": "deck", "margin_percent": "17.3", "fixed": "0.001",
         "applies_to": {"usage_type": "resale"}},
        {**BY_TIME, "charged_by": "split", "applies_to": {"usage_type": "by_time"}},
        {**BY_TIME, "applies_to": {"usage_type": "by_start"}},
    ]  # fmt: skip
    return Catalog(
        plans=(plan(*prices), plan({**calls, "card": "flat"}, inbound, key="other")),
        rate_cards=(
            card("banded", bands=BANDS),
            card("flat", pricing_unit="1", **FLAT),
            card("deck"),
        ),
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


Columns = dict[str, Sequence[object]]


def random_events(chance: random.Random, count: int) -> Columns:
    """Events around a change of clocks, mostly of numbers that have a price, by column."""
    begin = dt.datetime(2026, 2, 20, tzinfo=dt.UTC)
    seconds = [Decimal(number) for number in range(4000)]
    fractions = [Decimal(0), *(Decimal(number) / 10**4 for number in range(10**4))]
    carried = [Decimal(number) / 10**7 for number in range(-(10**6), 10**6, 7)]
    return {
        "subscription_key": chance.choices(["s1", "s2"], k=count),
        "usage_type": chance.choices(["voice"] * 6 + OTHERS, k=count),
        "origin": random_numbers(chance, count, 11),
        "direction": chance.choices(["outbound", "outbound", "inbound", None], k=count),
        "destination": random_numbers(chance, count, 15),
        "started_at": [
            begin + dt.timedelta(seconds=since)
            for since in chance.choices(range(31 * 86_400), k=count)
        ],
        "quantity": [
            whole + part
            for whole, part in zip(
                chance.choices(seconds, weights=[4000, *[1] * 3999], k=count),
                chance.choices(fractions, weights=[10**4, *[1] * 10**4], k=count),
                strict=True,
            )
        ],
        "carried_amount": chance.choices(carried, k=count),
    }


def frame_of(columns: Columns) -> pl.DataFrame:
    """USAGE_EVENTS of columns; what they do not say is as `events` has it."""
    types = {name: USAGE_EVENTS.polars_schema[name] for name in columns}
    told = pl.DataFrame(columns, schema=types)
    rest = events({}).drop(*columns, "record_number")
    numbered = told.join(rest, how="cross").with_row_index("record_number", offset=1)
    return USAGE_EVENTS.conform(
        numbered.with_columns(pl.col("record_number").cast(pl.Int64)).select(USAGE_EVENTS.names)
    )


def random_numbers(chance: random.Random, count: int, most_digits: int) -> list[str]:
    """Numbers of up to so many digits, of which short ones are as likely as long ones."""
    bounds = chance.choices([10**digits for digits in range(2, most_digits + 1)], k=count)
    return [str(1 + int(chance.random() * (bound - 1))) for bound in bounds]


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
    columns = random_events(chance, count)
    given = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]

    outcome = rate(frame_of(columns), price_book(sold, subscribed, prices, NEW_YORK.key))

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
    least = accepted.height // 200
    assert accepted.height > suspended.height // 2
    assert min(accepted.get_column("price_key").value_counts().get_column("count")) > least
    for column in ("rate_prefix", "rate_band", "cost_amount", "connection_fee"):
        assert accepted.get_column(column).count() > least
    assert accepted.get_column("spans").count() > least // 10
    assert set(suspended.get_column("reason")) == {"no_price", "no_destination"}


@pytest.mark.parametrize(
    "seed",
    [7, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(10) if seed != 7)],
)
def test_a_million_random_events_are_rated_as_by_hand(seed: int) -> None:
    """Ten times a hundred thousand, so that the work can be shared; one of them always runs."""
    assert_agreement(100_000, seed)


WITHOUT_AMOUNT = {
    *("graduated", "volume", "threshold", "package", "percentile", "latest", "metered"),
}
"""Models whose events wait for the end of the period; one of them stands for all."""


def test_plans_of_the_random_tenant_sell_every_model_of_an_event() -> None:
    sold: tuple[Plan, ...] = catalog().plans

    models = {price.model for declared in sold for price in declared.prices}

    assert models == {*EVENT_MODELS} - WITHOUT_AMOUNT | {"latest"}
