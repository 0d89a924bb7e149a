"""Usage by tiers explained on paper: slices that sum to the line, or nothing."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.invoicing.document_parts import TieredLine
from billing_pipeline.invoicing.tiers import tiered_lines, tiered_prices

TIERS: list[dict[str, Any]] = [
    {"up_to": 10, "amount": "1.00"},
    {"up_to": 20, "amount": "1.25"},
    {"up_to": 50, "amount": "1.50"},
    {"amount": "2.00"},
]
FEES: list[dict[str, Any]] = [
    {"up_to": 10, "amount": "1.00", "flat_fee": "5"},
    {"amount": "0.50", "flat_fee": "3"},
]


def explained(
    quantity: str, net_minor: int, *offers: tuple[str, list[dict[str, Any]]]
) -> list[list[str]]:
    """Units and amount of each slice, of the first plan that explains the line."""
    plans = tuple(
        Plan.model_validate(
            {
                "key": f"plan-{number}",
                "name": "Plan",
                "currency": "USD",
                "prices": [
                    {
                        "key": "traffic",
                        "product": "data",
                        "applies_to": {"usage_type": "data"},
                        "model": model,
                        "tiers": tiers,
                    }
                ],
            }
        )
        for number, (model, tiers) in enumerate(offers)
    )
    line = pl.DataFrame(
        {
            "line_number": 1,
            "charge_kind": "usage",
            "price_key": "traffic",
            "description": "Traffic",
            "unit": "GB",
            "quantity": [Decimal(quantity)],
            "net_minor": net_minor,
        }
    )
    found: tuple[TieredLine, ...] = tiered_lines(line, tiered_prices(Catalog(plans=plans)), "USD")
    return [[f"{one.units:f} {one.amount:f}" for one in shown.slices] for shown in found]


@pytest.mark.parametrize(
    ("quantity", "net_minor", "offer", "slices"),
    [
        # 10 x 1.00 + 10 x 1.25 + 30 x 1.50 + 5 x 2.00 = 77.50.
        ("55", 7750, ("graduated", TIERS), ["10 10.00", "10 12.50", "30 45.00", "5 10.00"]),
        ("10", 1000, ("graduated", TIERS), ["10 10.00"]),
        # 5 + 10 x 1.00, then 3 + 2 x 0.50.
        ("12", 1900, ("graduated", FEES), ["10 15.00", "2 4.00"]),
        # All 15 at the price of the tier they reach: 15 x 1.25 = 18.75.
        ("15", 1875, ("volume", TIERS), ["15 18.75"]),
        ("12", 900, ("volume", FEES), ["12 9.00"]),
    ],
)
def test_slices_say_how_a_line_came_to_its_net(
    quantity: str, net_minor: int, offer: tuple[str, list[dict[str, Any]]], slices: list[str]
) -> None:
    assert explained(quantity, net_minor, offer) == [slices]


def test_of_plans_with_one_price_key_the_one_that_explains_the_line_is_shown() -> None:
    cheap: list[dict[str, Any]] = [{"up_to": 10, "amount": "0.10"}, {"amount": "0.20"}]

    assert explained("55", 7750, ("graduated", cheap), ("graduated", TIERS))[0][-1] == "5 10.00"


def test_a_line_that_slices_do_not_explain_is_left_out() -> None:
    assert explained("55", 7749, ("graduated", TIERS)) == []
    assert explained("55", -7750, ("graduated", TIERS)) == []
