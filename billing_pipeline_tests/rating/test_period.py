"""Prices over a billing period: tiers, percentile, latest."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from billing_pipeline.catalog.prices import (
    GraduatedUsage,
    LatestUsage,
    PercentileUsage,
    Price,
    Tier,
)
from billing_pipeline.rating.exact import AmountOverflow
from billing_pipeline.rating.models.graduated import tiered_amount
from billing_pipeline.rating.models.latest import latest_charges
from billing_pipeline.rating.models.percentile import percentile_charges
from billing_pipeline.rating.period import cumulative_charges
from billing_pipeline_tests.rating.given import NOON, VOICE, Row

BASE = {"key": "p", "product": "usage", "applies_to": VOICE}
STORAGE_TIERS = [("10", "1"), ("20", "1.25"), ("50", "1.5"), (None, "2")]


def graduated(tiers: list[tuple[str | None, str]], **fields: object) -> GraduatedUsage:
    steps = [{"up_to": up_to, "amount": amount} for up_to, amount in tiers]
    return GraduatedUsage.model_validate({**BASE, "model": "graduated", "tiers": steps, **fields})


def usage(*quantities: str, period: str = "march") -> pl.DataFrame:
    return pl.DataFrame(
        {"period": [period] * len(quantities), "billable_units": [Decimal(q) for q in quantities]},
        schema={"period": pl.String, "billable_units": pl.Decimal(38, 10)},
    )


def graduated_amount(events: pl.DataFrame, price: GraduatedUsage) -> Decimal:
    amount: Decimal = cumulative_charges(events, ["period"], price).get_column("amount").item()
    return amount


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        pytest.param("0", "0", id="no usage"),
        pytest.param("5", "5", id="first tier"),
        pytest.param("10", "10", id="the bound belongs to the lower tier"),
        pytest.param("10.5", "10.625", id="half a unit of the second tier"),
        pytest.param("20", "22.50", id="two whole tiers"),
        pytest.param("50", "67.50", id="three whole tiers"),
        pytest.param("55", "77.50", id="10 x 1 + 10 x 1.25 + 30 x 1.5 + 5 x 2"),
    ],
)
def test_each_slice_has_its_own_tiers_price(quantity: str, expected: str) -> None:
    assert graduated_amount(usage(quantity), graduated(STORAGE_TIERS)) == Decimal(expected)


def test_tiers_are_cumulative_over_the_period_and_not_over_periods() -> None:
    events = pl.concat([usage("30", "25"), usage("5", "0.5", period="april")])

    charges = cumulative_charges(events, ["period"], graduated(STORAGE_TIERS))

    assert charges.rows() == [
        ("april", Decimal("5.5"), Decimal("5.5"), 2),
        ("march", Decimal(55), Decimal("77.5"), 2),
    ]


def test_the_last_price_goes_on_beyond_a_bounded_last_tier() -> None:
    assert graduated_amount(usage("30"), graduated([("10", "1"), ("20", "2")])) == Decimal(50)


def test_bounds_are_told_in_pricing_units_and_rounded_once() -> None:
    """1,000,001 calls at 0.40 per 1,000 to a million, then 0.35: 400 + 0.00035."""
    price = graduated([("1000", "0.40"), (None, "0.35")], pricing_unit="1000")

    assert graduated_amount(usage("1000001"), price) == Decimal("400.00035")


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("0", "0"), ("1", "11"), ("10", "20"), ("11", "42")],
    ids=["no usage owes no fee", "first unit", "still the first tier", "fee of both tiers"],
)
def test_flat_fees_are_owed_for_tiers_that_are_reached(quantity: str, expected: str) -> None:
    tiers = [
        Tier.model_validate({"up_to": "10", "amount": "1", "flat_fee": "10"}),
        Tier.model_validate({"amount": "2", "flat_fee": "20"}),
    ]

    amount = tiered_amount(pl.Series([Decimal(quantity)]), tiers, Decimal(1)).to_list()

    assert amount == [Decimal(expected)]


def test_an_amount_too_large_to_be_exact_is_refused() -> None:
    with pytest.raises(AmountOverflow):
        graduated_amount(usage("1" + "0" * 17), graduated([(None, "1" + "0" * 15)]))


money = st.decimals(min_value=-1000, max_value=1000, places=6)
bounds = st.lists(st.integers(1, 10**6), unique=True, max_size=5).map(sorted)


@given(
    quantity=st.decimals(min_value=0, max_value=10**7, places=4),
    ends=bounds,
    prices=st.lists(money, min_size=6, max_size=6),
    pricing_unit=st.sampled_from(["1", "60", "1000", "1024"]),
)
def test_no_unit_is_lost_or_priced_twice(
    quantity: Decimal, ends: list[int], prices: list[Decimal], pricing_unit: str
) -> None:
    tiers = [
        Tier(up_to=Decimal(end), amount=price) for end, price in zip(ends, prices, strict=False)
    ]
    tiers.append(Tier(amount=prices[-1]))
    units = Fraction(quantity) / Fraction(pricing_unit)
    exact, above = Fraction(0), Fraction(0)
    for tier in tiers:
        up_to = units if tier.up_to is None else min(units, Fraction(tier.up_to))
        exact += max(up_to - above, Fraction(0)) * Fraction(tier.amount)
        above = max(above, up_to) if tier.up_to is None else Fraction(tier.up_to)
    scaled = exact * 10**10
    sign = -1 if scaled < 0 else 1
    expected = Decimal(sign * int(abs(scaled) + Fraction(1, 2))).scaleb(-10)

    found = tiered_amount(
        pl.Series([quantity], dtype=pl.Decimal(38, 10)), tiers, Decimal(pricing_unit)
    ).item()

    assert found == expected


@given(
    quantities=st.lists(st.decimals(0, 1000, places=3), min_size=1, max_size=20), cut=st.integers()
)
def test_daily_parts_come_to_the_same_as_the_month(quantities: list[Decimal], cut: int) -> None:
    """What is computed from days in any order is what is computed at once."""
    place = cut % len(quantities)
    days = [*quantities[place:], *quantities[:place]]

    assert graduated_amount(usage(*map(str, days)), graduated(STORAGE_TIERS)) == graduated_amount(
        usage(*map(str, quantities)), graduated(STORAGE_TIERS)
    )


TWO_TIERS = [("100", "1"), (None, "0.80")]


def cumulative(model: str, **fields: object) -> Decimal:
    """Amount of `quantity` under one price of a model."""
    quantity = str(fields.pop("quantity"))
    adapter: TypeAdapter[Any] = TypeAdapter(Price)
    price = adapter.validate_python({**BASE, "model": model, **fields})
    amount: Decimal = cumulative_charges(usage(quantity), ["period"], price)["amount"].item()
    return amount


@pytest.mark.parametrize("model", ["graduated", "volume", "threshold", "package"])
@given(quantities=st.lists(st.decimals(0, 1000, places=3), min_size=1, max_size=20))
def test_a_price_and_its_negative_cancel(model: str, quantities: list[Decimal]) -> None:
    def owed(sign: str) -> Decimal:
        tiers = [{"up_to": up_to, "amount": sign + amount} for up_to, amount in STORAGE_TIERS]
        blocks: dict[str, object] = {"size": "7", "amount": f"{sign}1.3"}
        fields = blocks if model == "package" else {"tiers": tiers}
        return cumulative(model, quantity=sum(quantities), **fields)

    assert owed("") == -owed("-")


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        pytest.param("0", "0", id="no usage"),
        pytest.param("100", "100", id="the bound belongs to the lower tier"),
        pytest.param("101", "80.80", id="a step that makes the bill cheaper"),
        pytest.param("100.5", "80.40", id="a part of a unit reaches the tier"),
    ],
)
def test_volume_prices_all_units_at_the_tier_reached(quantity: str, expected: str) -> None:
    tiers = [{"up_to": up_to, "amount": amount} for up_to, amount in TWO_TIERS]

    assert cumulative("volume", tiers=tiers, quantity=quantity) == Decimal(expected)


def test_volume_owes_the_fee_of_the_tier_reached_only() -> None:
    """6,001 s are 100 minutes and a second: 30 + 100.0166... x 0.80."""
    tiers = [
        {"up_to": "100", "amount": "1", "flat_fee": "10"},
        {"amount": "0.80", "flat_fee": "30"},
    ]

    found = cumulative("volume", tiers=tiers, quantity="6001", pricing_unit="60")

    assert found == Decimal("110.0133333333")


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("0", "0"), ("1", "20"), ("1000", "20"), ("1001", "50"), ("9000", "90")],
    ids=["no usage", "first", "at the bound", "above it", "above the last bound"],
)
def test_a_threshold_is_one_amount_for_the_period(quantity: str, expected: str) -> None:
    tiers = [
        {"up_to": "1000", "amount": "20"},
        {"up_to": "5000", "amount": "50"},
        {"amount": "90"},
    ]

    assert cumulative("threshold", tiers=tiers, quantity=quantity) == Decimal(expected)


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("0", "0"), ("1", "5"), ("1000", "5"), ("1001", "10")],
    ids=["no usage", "a started block", "a whole block", "the next block"],
)
def test_a_started_block_is_owed(quantity: str, expected: str) -> None:
    assert cumulative("package", size="1000", amount="5", quantity=quantity) == Decimal(expected)


def test_blocks_are_counted_in_pricing_units() -> None:
    """Two blocks of 5 GB for 5,001 MB."""
    found = cumulative("package", size="5", amount="3", pricing_unit="1000", quantity="5001")

    assert found == Decimal(6)


def percentile(**fields: object) -> PercentileUsage:
    return PercentileUsage.model_validate({**BASE, "model": "percentile", "amount": "1", **fields})


def samples(inbound: list[int], outbound: list[int], **fields: Any) -> pl.DataFrame:  # noqa: ANN401
    rows: list[Row] = [
        {
            "period": "march",
            "direction": direction,
            "started_at": NOON + dt.timedelta(minutes=5 * number),
            "quantity": Decimal(value),
            **fields,
        }
        for direction, values in (("inbound", inbound), ("outbound", outbound))
        for number, value in enumerate(values)
    ]
    return pl.DataFrame(
        rows,
        schema={
            "period": pl.String,
            "direction": pl.String,
            "started_at": pl.Datetime("us", "UTC"),
            "quantity": pl.Decimal(38, 10),
        },
    )


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        pytest.param(1, 1, id="a single sample is billed"),
        pytest.param(19, 19, id="under twenty nothing is dropped"),
        pytest.param(20, 19, id="one of twenty is dropped"),
        pytest.param(100, 95, id="five of a hundred"),
        pytest.param(8640, 8208, id="432 of a month of 30 days, the 433rd highest is billed"),
        pytest.param(8600, 8170, id="40 samples missing: 430 of those there are"),
    ],
)
def test_the_top_five_per_cent_are_dropped_and_the_next_is_billed(
    count: int, expected: int
) -> None:
    charges = percentile_charges(samples(list(range(count, 0, -1)), []), ["period"], percentile())

    assert charges.rows() == [
        ("march", Decimal(expected), Decimal(expected), Decimal(expected), count)
    ]


def test_directions_are_judged_apart_and_the_greater_is_billed() -> None:
    inbound = [9] * 19 + [1000]
    outbound = [7] * 18 + [11, 11]

    charges = percentile_charges(samples(inbound, outbound), ["period"], percentile())

    assert charges.get_column("measured").to_list() == [11]


def test_ports_of_one_service_are_added_instant_by_instant() -> None:
    both = pl.concat([samples([3, 5], []), samples([4, 1], [])])

    assert percentile_charges(both, ["period"], percentile()).get_column("measured").item() == 7


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        pytest.param(30_000_000, "150", id="the commit is owed"),
        pytest.param(120_000_000, "180", id="overage at the same price"),
    ],
)
def test_at_least_the_commit_is_billed(rate: int, expected: str) -> None:
    """100 Mbit/s committed at 1.50 a Mbit/s."""
    price = percentile(amount="1.5", pricing_unit="1000000", commit="100")

    charges = percentile_charges(samples([rate], []), ["period"], price)

    assert charges.get_column("amount").to_list() == [Decimal(expected)]


def test_the_count_reported_last_is_billed() -> None:
    rows = [(1, "b", 1, 7), (3, "a", 1, 5), (3, "a", 2, 6), (2, "c", 9, 9)]
    counts = pl.DataFrame(
        [
            ("march", NOON + dt.timedelta(days=day), file, number, Decimal(value))
            for day, file, number, value in rows
        ],
        schema={
            "period": pl.String,
            "started_at": pl.Datetime("us", "UTC"),
            "file_key": pl.String,
            "record_number": pl.Int64,
            "quantity": pl.Decimal(38, 10),
        },
        orient="row",
    )
    price = LatestUsage.model_validate({**BASE, "model": "latest", "amount": "4.25"})

    expected = [("march", Decimal(6), Decimal("25.50"), 4)]
    assert latest_charges(counts, ["period"], price).rows() == expected
    assert latest_charges(counts.reverse(), ["period"], price).rows() == expected
