"""The catalog as small flat tables that subscriptions are joined with."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TypedDict

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Discount
from billing_pipeline.catalog.prices import FlatPrice, OneTimePrice
from billing_pipeline.catalog.resolution import sold
from billing_pipeline.vocabulary.money import AMOUNT
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

Columns = dict[str, pl.DataType | type[pl.DataType]]
"""Names and types of a table."""

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
        "introductory_amount": AMOUNT,
        "introductory_periods": pl.Int32,
        "unit": pl.String,
        "timing": pl.String,
        "proration_rule": pl.String,
        "cancel_day": pl.String,
        "valid_from": pl.Date,
        "valid_until": pl.Date,
    }
)
"""One row per plan and flat or one-time price."""


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

CONTRACT_TERMS = pl.Schema(
    {
        "plan_key": pl.String,
        "price_key": pl.String,
        "product_key": pl.String,
        **_PRODUCT,
        "term_months": pl.Int32,
        "fee": AMOUNT,
        "percent_of_remaining": AMOUNT,
    }
)
"""One row per plan with a contract term."""

_DISCOUNT: Columns = {
    "discount_key": pl.String,
    "discount_name": pl.String,
    "discount_product": pl.String,
    "percent_off": AMOUNT,
    "amount_off": AMOUNT,
    "products": pl.List(pl.String),
    "periods": pl.Int32,
    "until": pl.Date,
    "priority": pl.Int64,
}
DISCOUNTS = pl.Schema(_DISCOUNT)
"""One row per discount; null is all products, an empty list none."""


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
    introductory_amount: Decimal | None
    introductory_periods: int | None
    unit: str
    timing: str
    proration_rule: str
    cancel_day: str
    valid_from: dt.date
    valid_until: dt.date | None


def at_agreed_prices(facts: BillingFacts, account_keys: pl.Series) -> BillingFacts:
    """The facts of some accounts, every subscription on its plan at its own prices."""
    of_accounts = facts.subscriptions.filter(
        pl.col("account_key").is_in(account_keys.unique().implode())
    )
    agreed = sold(facts.catalog, facts.accounts, of_accounts, facts.subscription_changes)
    return replace(
        facts,
        catalog=agreed.catalog,
        subscriptions=agreed.subscriptions,
        subscription_changes=agreed.subscription_changes,
    )


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
            "introductory_amount": None
            if price.introductory is None
            else price.introductory.amount,
            "introductory_periods": None
            if price.introductory is None
            else price.introductory.periods,
            "unit": price.unit or INTERVAL_UNITS[plan.cycle.interval],
            "timing": price.timing,
            "proration_rule": price.proration,
            "cancel_day": price.cancel_day,
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
            "introductory_amount": None,
            "introductory_periods": None,
            "unit": price.unit,
            "timing": "advance",
            "proration_rule": "none",
            "cancel_day": "exclusive",
            "valid_from": price.valid_from,
            "valid_until": price.valid_until,
        }
        for plan in catalog.plans
        for price in plan.prices
        if isinstance(price, OneTimePrice)
    ]
    return pl.DataFrame(rows, schema=FEES)


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


def contract_terms(catalog: Catalog) -> pl.DataFrame:
    """Contract terms of all plans, as CONTRACT_TERMS."""
    rows = [
        {
            "plan_key": plan.key,
            "price_key": plan.term.key,
            **product_columns(catalog, plan.term.product),
            "term_months": plan.term.months,
            "fee": plan.term.fee,
            "percent_of_remaining": plan.term.percent_of_remaining,
        }
        for plan in catalog.plans
        if plan.term is not None
    ]
    return pl.DataFrame(rows, schema=CONTRACT_TERMS)


def _reduced_products(catalog: Catalog, discount: Discount) -> list[str] | None:
    """The products a discount reduces; null is all. A category may have none (left)."""
    if not discount.products and not discount.categories:
        return None
    of_categories = [key for one in discount.categories for key in catalog.products_of(one)]
    return [*discount.products, *of_categories]


def discount_terms(catalog: Catalog) -> pl.DataFrame:
    """Discounts that subscriptions may have agreed to, as DISCOUNTS."""
    rows = [
        {
            "discount_key": discount.key,
            "discount_name": discount.name,
            "discount_product": discount.product,
            "percent_off": discount.percent_off,
            "amount_off": discount.amount_off,
            "products": _reduced_products(catalog, discount),
            "periods": discount.periods,
            "until": discount.until,
            "priority": discount.priority,
        }
        for discount in catalog.discounts
    ]
    return pl.DataFrame(rows, schema=DISCOUNTS)
