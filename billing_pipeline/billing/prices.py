"""The catalog as small flat tables that subscriptions are joined with."""

import datetime as dt
from decimal import Decimal
from typing import TypedDict

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.prices import (
    CarriedUsage,
    FlatPrice,
    LatestUsage,
    OneTimePrice,
    RateCardUsage,
    UsagePrice,
)
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY
from billing_pipeline.vocabulary.periods import DAYS_IN, MONTHS_IN

INTERVAL_UNITS = {
    "day": "day",
    "week": "week",
    "month": "month",
    "quarter": "quarter",
    "half_year": "half-year",
    "year": "year",
}
"""What one period of a recurring price is called on an invoice."""

_SECONDS_IN_MINUTE = 60

_Columns = dict[str, pl.DataType | type[pl.DataType]]

_PRODUCT: dict[str, pl.DataType | type[pl.DataType]] = {
    "product_name": pl.String,
    "tax_category": pl.String,
}

PLAN_TERMS = pl.Schema(
    {
        "plan_key": pl.String,
        "currency": pl.String,
        "anchor_rule": pl.String,
        "step_months": pl.Int32,
        "step_days": pl.Int32,
        "trial_days": pl.Int32,
    }
)
"""One row per plan: its cycle, its trial and its currency."""

FEES = pl.Schema(
    {
        "plan_key": pl.String,
        "price_key": pl.String,
        "product_key": pl.String,
        **_PRODUCT,
        "price_amount": AMOUNT,
        "unit": pl.String,
        "timing": pl.String,
        "proration_rule": pl.String,
        "valid_from": pl.Date,
        "valid_until": pl.Date,
    }
)
"""One row per plan and flat or one-time price."""


USAGE_PRICES = pl.Schema(
    {
        "plan_key": pl.String,
        "price_key": pl.String,
        "valid_from": pl.Date,
        "product_key": pl.String,
        **_PRODUCT,
        "model": pl.String,
        "unit": pl.String,
        "pricing_unit": QUANTITY,
    }
)
"""One row per plan and usage price: what its charges are called and counted in."""

MINIMUM_FEES = pl.Schema(
    {
        "plan_key": pl.String,
        "price_key": pl.String,
        "product_key": pl.String,
        **_PRODUCT,
        "floor": AMOUNT,
        "proration_rule": pl.String,
    }
)
"""One row per plan with a minimum fee."""

_DISCOUNT: _Columns = {
    "discount_key": pl.String,
    "discount_name": pl.String,
    "discount_product": pl.String,
    "percent_off": AMOUNT,
    "products": pl.List(pl.String),
    "periods": pl.Int32,
}
DISCOUNTS = pl.Schema(_DISCOUNT)
"""One row per discount; an empty list of products is all products."""


class ProductColumns(TypedDict):
    """What a charge takes from its product."""

    product_key: str
    product_name: str
    tax_category: str


class FeeRow(ProductColumns):
    """A row of FEES."""

    plan_key: str
    price_key: str
    price_amount: Decimal
    unit: str
    timing: str
    proration_rule: str
    valid_from: dt.date
    valid_until: dt.date | None


def product_columns(catalog: Catalog, product_key: str) -> ProductColumns:
    """Key, name and tax category of a product.

    Raises: KeyError if the catalog has no such product; the check at apply finds it first.
    """
    product = catalog.product_by_key[product_key]
    return {
        "product_key": product.key,
        "product_name": product.name,
        "tax_category": product.tax_category,
    }


def plan_terms(catalog: Catalog) -> pl.DataFrame:
    """Cycle, trial and currency of every plan, as PLAN_TERMS."""
    rows = [
        {
            "plan_key": plan.key,
            "currency": plan.currency,
            "anchor_rule": plan.cycle.anchor,
            "step_months": MONTHS_IN[plan.cycle.interval],
            "step_days": DAYS_IN[plan.cycle.interval],
            "trial_days": plan.trial_days,
        }
        for plan in catalog.plans
    ]
    return pl.DataFrame(rows, schema=PLAN_TERMS)


def recurring_fees(catalog: Catalog) -> pl.DataFrame:
    """Flat prices of all plans, as FEES."""
    rows: list[FeeRow] = [
        {
            "plan_key": plan.key,
            "price_key": price.key,
            **product_columns(catalog, price.product),
            "price_amount": price.amount,
            "unit": INTERVAL_UNITS[plan.cycle.interval],
            "timing": price.timing,
            "proration_rule": price.proration,
            "valid_from": price.valid_from,
            "valid_until": price.valid_until,
        }
        for plan in catalog.plans
        for price in plan.prices
        if isinstance(price, FlatPrice)
    ]
    return pl.DataFrame(rows, schema=FEES)


def one_time_fees(catalog: Catalog) -> pl.DataFrame:
    """One-time prices of all plans, as FEES."""
    rows: list[FeeRow] = [
        {
            "plan_key": plan.key,
            "price_key": price.key,
            **product_columns(catalog, price.product),
            "price_amount": price.amount,
            "unit": "piece",
            "timing": "advance",
            "proration_rule": "none",
            "valid_from": price.valid_from,
            "valid_until": price.valid_until,
        }
        for plan in catalog.plans
        for price in plan.prices
        if isinstance(price, OneTimePrice)
    ]
    return pl.DataFrame(rows, schema=FEES)


def usage_prices(catalog: Catalog) -> pl.DataFrame:
    """Usage prices of all plans, as USAGE_PRICES; of versions of one price the latest."""
    rows = [
        {
            "plan_key": plan.key,
            "price_key": price.key,
            "valid_from": price.valid_from,
            **product_columns(catalog, price.product),
            "model": price.model,
            "unit": _usage_unit(catalog, price),
            "pricing_unit": _pricing_unit(catalog, price),
        }
        for plan in catalog.plans
        for price in plan.prices
        if not isinstance(price, FlatPrice | OneTimePrice)
    ]
    prices = pl.DataFrame(rows, schema=USAGE_PRICES)
    return prices.sort("plan_key", "price_key", "valid_from").unique(
        ["plan_key", "price_key"], keep="last", maintain_order=True
    )


def _pricing_unit(catalog: Catalog, price: UsagePrice) -> Decimal:
    if isinstance(price, RateCardUsage):
        return catalog.rate_card_by_key[price.card].pricing_unit
    if isinstance(price, LatestUsage | CarriedUsage):
        return Decimal(1)
    return price.pricing_unit


def _usage_unit(catalog: Catalog, price: UsagePrice) -> str:
    """Name of the pricing unit; where none is declared, minutes for 60 s and the usage type."""
    declared = "" if isinstance(price, RateCardUsage | CarriedUsage) else price.unit
    is_minute = _pricing_unit(catalog, price) == _SECONDS_IN_MINUTE
    return declared or ("min" if is_minute else price.applies_to.usage_type)


def minimum_fees(catalog: Catalog) -> pl.DataFrame:
    """Minimum fees of all plans, as MINIMUM_FEES."""
    rows = [
        {
            "plan_key": plan.key,
            "price_key": plan.minimum_fee.key,
            **product_columns(catalog, plan.minimum_fee.product),
            "floor": plan.minimum_fee.amount,
            "proration_rule": plan.minimum_fee.proration,
        }
        for plan in catalog.plans
        if plan.minimum_fee is not None
    ]
    return pl.DataFrame(rows, schema=MINIMUM_FEES)


def discount_terms(catalog: Catalog) -> pl.DataFrame:
    """Discounts that subscriptions may have agreed to, as DISCOUNTS."""
    rows = [
        {
            "discount_key": discount.key,
            "discount_name": discount.name,
            "discount_product": discount.product,
            "percent_off": discount.percent_off,
            "products": discount.products,
            "periods": discount.periods,
        }
        for discount in catalog.discounts
    ]
    return pl.DataFrame(rows, schema=DISCOUNTS)
