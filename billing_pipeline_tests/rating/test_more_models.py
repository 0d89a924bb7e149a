"""Cost-plus prices, caps, steps past the last, and laws of rating as a whole."""

import importlib
import pkgutil
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import billing_pipeline
from billing_pipeline.rating.rate import rate
from billing_pipeline.vocabulary.frames import FrameSchema
from billing_pipeline_tests.rating.given import Row, book, card, card_rows, events, plan

DECK = card("deck", kind="supplier", increment_units=60, minimum_units=60)
ROWS = card_rows(
    {"card_key": "deck", "prefix": "4477", "unit_price": Decimal("0.06"),
     "minimum_units": Decimal(60), "increment_units": Decimal(60)},
    {"card_key": "deck", "prefix": "4478", "unit_price": None},
    {"card_key": "card", "prefix": "44", "unit_price": Decimal("0.60"),
     "connection_fee": Decimal("0.10")},
)  # fmt: skip
PLUS: Row = {"model": "cost_plus", "cost_deck": "deck", "margin_percent": "25", "fixed": "0.01"}
STEPS: Row = {
    "model": "per_event_steps",
    "pricing_unit": "60",
    "tiers": [{"up_to": "1", "amount": "0.10"}, {"up_to": "3", "amount": "0.04"}],
}


def rated(price: Row, destination: str, quantity: str) -> tuple[object, ...]:
    """Billable units, amount, cost and prefix of the only event, or why it has none."""
    event = {"destination": destination, "quantity": Decimal(quantity)}
    outcome = rate(events(event), book(plan(price), cards=[card(), DECK], rows=ROWS))
    if outcome.suspended.height:
        return outcome.suspended.select("reason", "detail").row(0)
    return outcome.accepted.select("billable_units", "amount", "cost_amount", "cost_prefix").row(0)


@pytest.mark.parametrize(
    ("terms", "quantity", "expected"),
    [
        pytest.param({}, "90", ("120", "0.16", "0.12"), id="0.12 x 1.25 + 0.01"),
        pytest.param({}, "-90", ("-120", "-0.16", "-0.12"), id="taken back"),
        pytest.param({}, "0", ("0", "0", "0"), id="nothing costs nothing, no fixed part either"),
        pytest.param({"margin_percent": "0"}, "60", ("60", "0.07", "0.06"), id="no margin"),
        pytest.param({"margin_percent": "-50"}, "60", ("60", "0.04", "0.06"), id="below cost"),
    ],
)
def test_what_the_supplier_takes_and_a_margin(
    terms: Row, quantity: str, expected: tuple[str, ...]
) -> None:
    found = rated({**PLUS, **terms}, "447700900123", quantity)

    assert found == (*(Decimal(number) for number in expected), "4477")


@pytest.mark.parametrize("destination", ["4478", "33"])
def test_without_a_suppliers_price_a_margin_has_nothing_to_stand_on(destination: str) -> None:
    assert rated(PLUS, destination, "60") == (
        "no_destination",
        f"no supplier price for {destination}",
    )


def test_a_card_price_may_be_capped() -> None:
    """90 s at 0.60 a minute with 0.10 are 1.00; no call costs more than 0.75."""
    by_card = {"model": "rate_card", "card": "card"}

    assert rated(by_card, "4420", "90")[1] == Decimal("1.00")
    assert rated({**by_card, "maximum": "0.75"}, "4420", "90")[1] == Decimal("0.75")
    assert rated({**by_card, "maximum": "0.75"}, "4420", "-90")[1] == Decimal("-0.75")


@pytest.mark.parametrize(
    ("beyond", "amount"),
    [
        pytest.param("last", "0.22", id="0.10 + 3 x 0.04"),
        pytest.param("free", "0.18", id="0.10 + 2 x 0.04"),
    ],
)
def test_four_minutes_in_steps_of_one_and_two(beyond: str, amount: str) -> None:
    assert rated({**STEPS, "beyond": beyond}, "44", "240")[1] == Decimal(amount)


def test_an_event_past_the_last_step_may_be_refused() -> None:
    refused = {**STEPS, "beyond": "refuse"}

    assert rated(refused, "44", "180")[1] == Decimal("0.18")
    assert rated(refused, "44", "181") == ("no_price", "quantity is past the last tier")


PRICES: list[Row] = [
    {**PLUS, "applies_to": {"usage_type": "resale"}},
    {**STEPS, "applies_to": {"usage_type": "steps"}},
    {"model": "per_unit", "amount": "0.031", "pricing_unit": 60},
]


@given(
    seed=st.integers(0, 10**6),
    quantities=st.lists(st.integers(0, 10_000), min_size=1, max_size=12),
    cut=st.integers(0, 12),
)
def test_neither_order_nor_files_nor_runs_change_a_price(
    seed: int, quantities: list[int], cut: int
) -> None:
    kinds = ("resale", "steps", "voice")
    rows = [
        {"usage_type": kinds[n % 3], "quantity": Decimal(quantity), "destination": "447711",
         "file_key": f"file {n % 2}", "record_number": n}
        for n, quantity in enumerate(quantities)
    ]  # fmt: skip
    opened = book(plan(*PRICES), cards=[card(), DECK], rows=ROWS)
    shuffled = random.Random(seed).sample(rows, len(rows))  # noqa: S311 - no secrets

    at_once = rate(events(*rows), opened).accepted.sort("record_number")
    in_parts = [rate(events(*part), opened).accepted for part in (shuffled[:cut], shuffled[cut:])]

    assert in_parts[0].vstack(in_parts[1]).sort("record_number").equals(at_once)


def schemas() -> list[FrameSchema]:
    """Every frame any room hands on."""
    modules = (
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(billing_pipeline.__path__, "billing_pipeline.")
        if module.name.endswith("schema")
    )
    things = [thing for module in modules for thing in vars(module).values()]
    return [thing for thing in things if isinstance(thing, FrameSchema)]


def test_no_frame_between_rooms_has_a_float() -> None:
    known = schemas()

    assert len(known) > 30
    floats = [
        (schema.name, name)
        for schema in known
        for name, dtype in schema.polars_schema.items()
        if dtype.is_float()
    ]
    assert floats == []
