"""Usage prices and pools of included units as small flat tables."""

from decimal import Decimal

import polars as pl

from billing_pipeline.billing.prices import Columns, product_columns
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.prices import (
    CostPlusUsage,
    FlatPrice,
    LatestUsage,
    OneTimePrice,
    Price,
    RateCardUsage,
    UsagePrice,
)
from billing_pipeline.rating.included import FEE_ON_INCLUDED
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

_SECONDS_IN_MINUTE = 60

_USAGE_PRICES: Columns = {
    "plan_key": pl.String,
    "price_key": pl.String,
    "valid_from": pl.Date,
    "product_key": pl.String,
    "product_name": pl.String,
    "tax_category": pl.String,
    "model": pl.String,
    "unit": pl.String,
    "pricing_unit": QUANTITY,
}
USAGE_PRICES = pl.Schema(_USAGE_PRICES)
"""One row per plan and usage price: what its charges are called and counted in."""

_SPECIFIC_FIRST = ("subscription", "account", "account_tree")

_MAXIMUMS: Columns = {
    "plan_key": pl.String,
    "price_key": pl.String,
    "period_maximum": AMOUNT,
    "valid_from": pl.Date,
    "valid_until": pl.Date,
}
MAXIMUMS = pl.Schema(_MAXIMUMS)
"""One row per plan and usage price that has a maximum per billing period."""

POOL_NUMBER = "pool_number"
_POOLED_PRICES: Columns = {
    "plan_key": pl.String,
    "price_key": pl.String,
    POOL_NUMBER: pl.Int32,
    "pool_key": pl.String,
    "pool_units": QUANTITY,
    "shared_by": pl.String,
    "counted": pl.String,
    "pool_proration": pl.String,
    "rollover_periods": pl.Int32,
    "pricing_unit": QUANTITY,
}
POOLED_PRICES = pl.Schema(_POOLED_PRICES)
"""One row per pool of included units of a plan and price that may take from it."""

_FEE_RULES: Columns = {
    "plan_key": pl.String,
    "price_key": pl.String,
    "valid_from": pl.Date,
    FEE_ON_INCLUDED: pl.Boolean,
}
FEE_RULES = pl.Schema(_FEE_RULES)
"""One row per plan and version of a usage price: what its fee is owed by from that day on."""


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


def period_maximums(catalog: Catalog, periods: pl.DataFrame) -> pl.DataFrame:
    """What each billing period owes at most for a price, by the price in force as it begins.

    Shape: one row per period and price with a maximum: subscription_key, service_from,
    price_key, period_maximum.
    """
    rows = [
        (plan.key, price.key, price.period_maximum, price.valid_from, price.valid_until)
        for plan in catalog.plans
        for price in plan.prices
        if not isinstance(price, FlatPrice | OneTimePrice) and price.period_maximum is not None
    ]
    begins = pl.col("service_from")
    return (
        periods.select("subscription_key", "service_from", "plan_key")
        .join(pl.DataFrame(rows, schema=MAXIMUMS, orient="row"), on="plan_key", how="inner")
        .filter(
            begins >= pl.col("valid_from"),
            pl.col("valid_until").is_null() | (begins < pl.col("valid_until")),
        )
        .select("subscription_key", "service_from", "price_key", "period_maximum")
    )


def pooled_prices(catalog: Catalog) -> pl.DataFrame:
    """Included units of all plans, as POOLED_PRICES.

    Pools are numbered in the order they are emptied: a subscription's own before an account's
    before a tree's, then as the plans list them. Pools of one key have one number.
    """
    listed = [
        (plan, position, included)
        for plan in catalog.plans
        for position, included in enumerate(plan.included_units)
    ]
    places: dict[str, tuple[int, int]] = {}
    for _, position, included in listed:
        place = (_SPECIFIC_FIRST.index(included.shared_by), position)
        places[included.key] = min(places.get(included.key, place), place)
    order = sorted(places, key=lambda key: (*places[key], key))
    rows = [
        {
            "plan_key": plan.key,
            "price_key": price_key,
            POOL_NUMBER: order.index(included.key),
            "pool_key": included.key,
            "pool_units": included.units,
            "shared_by": included.shared_by,
            "counted": included.counted,
            "pool_proration": included.proration,
            "rollover_periods": included.rollover_periods,
        }
        for plan, _, included in listed
        for price_key in included.prices
    ]
    pools = pl.DataFrame(
        rows, schema={k: v for k, v in POOLED_PRICES.items() if k != "pricing_unit"}
    )
    return pools.join(
        usage_prices(catalog).select("plan_key", "price_key", "pricing_unit"),
        on=["plan_key", "price_key"],
        how="inner",
        validate="m:1",
    )


def fee_rules(catalog: Catalog) -> pl.DataFrame:
    """Whether wholly included events owe their fee, of every version of every price: FEE_RULES."""
    rows = [
        (plan.key, price.key, price.valid_from, _asks_of_included(catalog, price))
        for plan in catalog.plans
        for price in plan.prices
        if not isinstance(price, FlatPrice | OneTimePrice)
    ]
    return pl.DataFrame(rows, schema=FEE_RULES, orient="row")


def _asks_of_included(catalog: Catalog, price: Price) -> bool:
    """Whether events that included units pay wholly owe the price's connection fee."""
    fee_on = getattr(price, "connection_fee_on", "used")
    if isinstance(price, RateCardUsage):
        fee_on = catalog.rate_card_by_key[price.card].connection_fee_on
    return fee_on != "used"


def _pricing_unit(catalog: Catalog, price: UsagePrice) -> Decimal:
    if isinstance(price, RateCardUsage):
        return catalog.rate_card_by_key[price.card].pricing_unit
    if isinstance(price, CostPlusUsage):
        return catalog.rate_card_by_key[price.cost_deck].pricing_unit
    if isinstance(price, LatestUsage):
        return Decimal(1)
    return price.pricing_unit


def _usage_unit(catalog: Catalog, price: UsagePrice) -> str:
    """Name of the pricing unit; where none is declared, minutes for 60 s and the usage type."""
    declared = "" if isinstance(price, RateCardUsage | CostPlusUsage) else price.unit
    is_minute = _pricing_unit(catalog, price) == _SECONDS_IN_MINUTE
    return declared or ("min" if is_minute else price.applies_to.usage_type)
