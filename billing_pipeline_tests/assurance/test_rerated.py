"""Event prices worked out a second time: what is judged, and what only rating knows."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from billing_pipeline.assurance.rerated import event_prices
from billing_pipeline.assurance.usage_summed import summed_usage
from billing_pipeline.catalog.agreements import NegotiatedPrice
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Plan, Product
from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.rating.schema import RATED_USAGE

JANUARY = dt.date(2026, 1, 1)
CALLS = {"product": "calls", "applies_to": {"usage_type": "voice"}}
PER_MINUTE = {"key": "minutes", "model": "per_unit", "amount": "0.06", "pricing_unit": 60}
BY_CARD = {"key": "minutes", "model": "rate_card", "card": "retail"}
CARD = RateCard(key="retail", kind="retail", currency="EUR", pricing_unit=Decimal(60))
CARD_PRICES = pl.DataFrame(
    [("retail", JANUARY, None, "44", "", "UK", Decimal("0.06"), Decimal("0.05"), 0, 1)],
    schema=RATE_CARD_PRICES.polars_schema,
    orient="row",
)


def catalog(price: dict[str, Any], card: RateCard = CARD, **more: object) -> Catalog:
    plan = {"key": "basic", "name": "Basic", "currency": "EUR", "prices": [CALLS | price]}
    products = (Product(key="calls", name="Calls", kind="usage"),)
    plans = (Plan.model_validate(plan | more),)
    return Catalog(products=products, plans=plans, rate_cards=(card,))


def event(amount: str, unit_price: str = "0.06", /, **columns: object) -> pl.LazyFrame:
    """One call of 90 seconds."""
    row = dict.fromkeys(RATED_USAGE.names) | {
        "account_key": "A1",
        "subscription_key": "S1",
        "price_key": "minutes",
        "started_at": dt.datetime(2026, 1, 12, tzinfo=dt.UTC),
        "billable_units": Decimal(90),
        "unit_price": Decimal(unit_price),
        "amount": Decimal(amount),
    }
    return pl.LazyFrame([row | columns], schema=RATED_USAGE.polars_schema)


def at_prices(usage: pl.LazyFrame) -> pl.DataFrame:
    return summed_usage([usage], "Europe/Berlin").at_prices


AGREED = NegotiatedPrice(key="big", instead_of="minutes", terms={"amount": "0.04"})
GIVEN_BACK = {"billable_units": Decimal(-90), "connection_fee": Decimal("-0.05")}
UK = {"rate_prefix": "44", "connection_fee": Decimal("0.05"), "rate_valid_from": JANUARY}


@pytest.mark.parametrize(
    ("usage", "sold", "is_found"),
    [
        # 90 s at 0.06 a minute: 0.09; by the card 0.05 for the connection more.
        pytest.param(event("0.09"), catalog(PER_MINUTE), False, id="per minute"),
        pytest.param(event("0.0900000002"), catalog(PER_MINUTE), True, id="a little more"),
        pytest.param(event("0.18", "0.12"), catalog(PER_MINUTE), True, id="double the rate"),
        pytest.param(event("0.14", **UK), catalog(BY_CARD), False, id="by the card"),
        pytest.param(event("0.09", **UK), catalog(BY_CARD), True, id="without its fee"),
        pytest.param(
            event("-0.14", **(UK | GIVEN_BACK)), catalog(BY_CARD), False, id="a call given back"
        ),
        pytest.param(
            event("0.14", **(UK | {"rate_prefix": "33"})), catalog(BY_CARD), True, id="no such row"
        ),
        pytest.param(event("0.07"), catalog(PER_MINUTE | {"maximum": "0.07"}), False, id="capped"),
        pytest.param(
            event("1", "1", spans="peak"), catalog(PER_MINUTE), False, id="split over bands"
        ),
        pytest.param(
            event("1", "1", **UK),
            catalog(BY_CARD, CARD.model_copy(update={"currency": "USD"})),
            False,
            id="a card in another currency",
        ),
        pytest.param(
            event("0"),
            catalog(
                PER_MINUTE,
                included_units=[{"key": "free", "units": 100, "prices": ["minutes"]}],
            ),
            False,
            id="paid by included units",
        ),
    ],
)
def test_an_event_costs_what_the_catalog_lists(
    usage: pl.LazyFrame, sold: Catalog, *, is_found: bool
) -> None:
    found = event_prices(at_prices(usage), sold, CARD_PRICES)

    assert found.height == is_found


@pytest.mark.parametrize("agreed", [{"negotiated": (AGREED,)}, {"inherited": ((AGREED,),)}])
def test_what_is_negotiated_here_or_above_is_not_judged(agreed: dict[str, Any]) -> None:
    sold = replace(catalog(PER_MINUTE), **agreed)

    assert event_prices(at_prices(event("0.06", "0.04")), sold, CARD_PRICES).is_empty()
