"""Price models of events beyond price per unit and rate card: cases worked by hand."""

from collections.abc import Sequence
from decimal import Decimal
from importlib.metadata import EntryPoint, EntryPoints

import polars as pl
import pytest
from pydantic import ValidationError

from billing_pipeline.rating.models import registry
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.priced import completed
from billing_pipeline.rating.rate import rate
from billing_pipeline.vocabulary.problems import ConfigurationRefused
from billing_pipeline_tests.rating.given import Row, book, events, plan

STEPS: Row = {
    "model": "per_event_steps",
    "pricing_unit": "60",
    "tiers": [{"up_to": "1", "amount": "0.10"}, {"amount": "0.04"}],
}
PAYMENT: Row = {
    "model": "percentage",
    "percent": "2.9",
    "fixed": "0.30",
    "minimum": "0.50",
    "maximum": "5",
}
ZONES: Row = {
    "model": "zone_matrix",
    "pricing_unit": "60",
    "zones": {"home": ["49"], "near": ["43", "41"], "islands": ["4994"]},
    "prices": [
        {"origin": "home", "destination": "home", "amount": "0.01"},
        {"destination": "near", "amount": "0.05"},
        {"origin": "near", "destination": "near", "amount": "0.03", "connection_fee": "0.02"},
        {"origin": "islands", "amount": "0.20"},
    ],
}


def amount_of(event: Row, price: Row) -> Decimal:
    outcome = rate(events(event), book(plan(price)))
    assert outcome.suspended.is_empty(), outcome.suspended.row(0)
    amount: Decimal = outcome.accepted.get_column("amount").item()
    return amount


@pytest.mark.parametrize(
    ("quantity", "terms", "expected"),
    [
        pytest.param("0", {}, "0", id="no usage"),
        pytest.param("60", {}, "0.10", id="the bound belongs to the first step"),
        pytest.param("150", {}, "0.16", id="60 x 0.10 / 60 + 90 x 0.04 / 60"),
        pytest.param("150", {"connection_fee": "0.05"}, "0.21", id="a fee per event"),
        pytest.param("-150", {"connection_fee": "0.05"}, "-0.21", id="taken back"),
        pytest.param("61", {"increments": {"increment": "60"}}, "0.14", id="rounded before"),
    ],
)
def test_steps_begin_again_at_every_event(quantity: str, terms: Row, expected: str) -> None:
    assert amount_of({"quantity": Decimal(quantity)}, {**STEPS, **terms}) == Decimal(expected)


def test_each_event_has_the_steps_of_its_own_price() -> None:
    other = {**STEPS, "tiers": [{"amount": "6"}], "applies_to": {"usage_type": "sms"}}
    kinds = ["sms", "voice", "sms", "voice"]

    accepted = rate(
        events(*({"usage_type": kind} for kind in kinds)), book(plan(STEPS, other))
    ).accepted

    assert accepted.get_column("amount").to_list() == [6, Decimal("0.1"), 6, Decimal("0.1")]


@pytest.mark.parametrize(
    ("carried", "expected"),
    [
        pytest.param("20", "0.88", id="2.9 % and 0.30"),
        pytest.param("1", "0.50", id="the minimum"),
        pytest.param("1000", "5", id="the maximum"),
        pytest.param("-20", "-0.88", id="a refund"),
        pytest.param("0", "0", id="nothing paid"),
    ],
)
def test_a_percentage_has_a_fixed_part_and_bounds(carried: str, expected: str) -> None:
    assert amount_of({"carried_amount": Decimal(carried)}, PAYMENT) == Decimal(expected)


def test_a_percentage_without_maximum_is_open() -> None:
    price = {**PAYMENT, "maximum": None}

    assert amount_of({"carried_amount": Decimal(10_000)}, price) == Decimal("290.30")


@pytest.mark.parametrize(
    "carried", [None, Decimal(10**27)], ids=["missing", "too large to be exact"]
)
def test_a_percentage_of_no_usable_amount_is_suspended(carried: Decimal | None) -> None:
    outcome = rate(
        events({"carried_amount": carried}), book(plan({**PAYMENT, "percent": "100000"}))
    )

    assert outcome.suspended.get_column("reason").to_list() == ["invalid_amount"]


@pytest.mark.parametrize(
    ("origin", "destination", "expected", "name"),
    [
        pytest.param("4930", "4940", "0.02", "home to home", id="the pair"),
        pytest.param("4930", "4312", "0.10", "any to near", id="any origin"),
        pytest.param("4110", "4312", "0.08", "near to near", id="the pair goes first, with fee"),
        pytest.param("1212", "4312", "0.10", "any to near", id="origin in no zone"),
        pytest.param(None, "4312", "0.10", "any to near", id="no origin"),
        pytest.param("49941", "1212", "0.40", "islands to any", id="longest prefix of a zone"),
    ],
)
def test_the_pair_of_zones_prices_the_event(
    origin: str | None, destination: str, expected: str, name: str
) -> None:
    event = {"origin": origin, "destination": destination, "quantity": Decimal(120)}

    accepted = rate(events(event), book(plan(ZONES))).accepted

    assert accepted.select("amount", "rate_name").row(0) == (Decimal(expected), name)


def test_a_pair_without_price_is_never_free() -> None:
    outcome = rate(events({"origin": "4312", "destination": "4930"}), book(plan(ZONES)))

    assert outcome.suspended.select("reason", "detail").row(0) == (
        "no_destination",
        "no price from 4312 to 4930",
    )


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("60", "0.20"), ("600", "0.75"), ("-600", "-0.75")],
    ids=["below the cap", "capped with its fee", "and taken back alike"],
)
def test_an_event_costs_no_more_than_its_maximum(quantity: str, expected: str) -> None:
    price = {
        "model": "per_unit",
        "amount": "0.10",
        "pricing_unit": "60",
        "connection_fee": "0.10",
        "maximum": "0.75",
    }

    assert amount_of({"quantity": Decimal(quantity)}, price) == Decimal(expected)


def test_a_price_over_the_period_may_round_each_event() -> None:
    rounded = {
        "model": "volume",
        "tiers": [{"amount": "1"}],
        "increments": {"minimum": "60", "increment": "60"},
    }
    plain = {"model": "package", "size": "5", "amount": "1", "applies_to": {"usage_type": "api"}}
    given: list[Row] = [
        {"quantity": Decimal(61)},
        {"quantity": Decimal("2.5"), "usage_type": "api"},
    ]

    accepted = rate(events(*given), book(plan(rounded, plain))).accepted

    assert accepted.get_column("billable_units").to_list() == [120, Decimal("2.5")]
    assert accepted.get_column("amount").to_list() == [0, 0]


@pytest.mark.parametrize(
    ("price", "message"),
    [
        pytest.param(
            {**ZONES, "zones": {"a": ["49"], "b": ["49"]}, "prices": [{"amount": "1"}]},
            "more than one zone",
            id="prefix in two zones",
        ),
        pytest.param(
            {**ZONES, "prices": [{"origin": "far", "amount": "1"}]}, "no zone", id="unknown zone"
        ),
        pytest.param(
            {**ZONES, "prices": [{"amount": "1"}, {"amount": "2"}]}, "two prices", id="pair twice"
        ),
        pytest.param({**PAYMENT, "maximum": "0.10"}, "below minimum", id="bounds crossed"),
    ],
)
def test_a_price_that_contradicts_itself_is_refused(price: Row, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        plan(price)


class TwoForEveryEvent:
    """Prices of a model that another package might bring."""

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        del cards
        two = pl.lit(2, dtype=pl.Int64).cast(pl.Decimal(38, 10))
        return completed(events.select(billable_units="quantity", amount=two))


def two_for_every_event(prices: Sequence[object]) -> TwoForEveryEvent:
    assert prices
    return TwoForEveryEvent()


BROUGHT = EventModel("two", two_for_every_event)


def test_another_package_may_bring_a_price_model(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("two", f"{__name__}:BROUGHT", registry.GROUP)
    installed = EntryPoints([entry])
    monkeypatch.setattr(registry, "entry_points", installed.select)

    assert amount_of({}, {"model": "plugin", "plugin": "two"}) == Decimal(2)


def test_a_price_model_that_nobody_brings_is_a_mistake_in_the_plan() -> None:
    with pytest.raises(ConfigurationRefused, match="no installed package brings"):
        book(plan({"model": "plugin", "plugin": "nobody"}))
