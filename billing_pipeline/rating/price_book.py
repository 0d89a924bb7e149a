"""A tenant's prices, flattened once and then asked for many days of usage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.prices import TimeOfDayUsage, UsagePrice
from billing_pipeline.catalog.resolution import sold
from billing_pipeline.catalog.selection import cards_named, usage_prices
from billing_pipeline.customers.schema import SUBSCRIPTION_CHANGES
from billing_pipeline.rating.cards import FlattenedCard, flattened_card
from billing_pipeline.rating.models.model import EventPricing
from billing_pipeline.rating.models.registry import event_model, model_name
from billing_pipeline.rating.models.time_of_day import card_key, price_as_card
from billing_pipeline.rating.plans_held import PlansHeld, plans_held
from billing_pipeline.rating.selectors import PriceRules, price_rules
from billing_pipeline.vocabulary.problems import ConfigurationRefused, Problem

EVENT_COLUMNS = (
    "usage_type",
    "direction",
    "origin",
    "destination",
    "started_at",
    "quantity",
    "unit",
    "carried_amount",
    "attributes",
)
"""Columns of a usage event that selectors and price models may look at."""


@dataclass(frozen=True)
class PriceBook:
    """Everything `rate` needs besides the events.

    `prices`: one row per usage price, its row number is the price code; `model` is its place in
    `models` and `price` its place among that model's prices.
    """

    time_zone: str
    plans: PlansHeld
    plan_keys: tuple[str, ...]
    rules: PriceRules
    prices: pl.DataFrame
    models: tuple[EventPricing, ...]
    cards: dict[str, FlattenedCard]


def price_book(
    catalog: Catalog,
    subscriptions: pl.DataFrame,
    rate_card_prices: pl.DataFrame,
    time_zone: str,
    subscription_changes: pl.DataFrame | None = None,
    accounts: pl.DataFrame | None = None,
) -> PriceBook:
    """Resolve plans, selectors and rate cards of one tenant.

    `subscriptions` is a SUBSCRIPTIONS frame, `rate_card_prices` a RATE_CARD_PRICES frame of all
    cards; `time_zone` is the tenant's, in which days and bands are told. `subscription_changes`
    is SUBSCRIPTION_CHANGES: from the day of a change its plan prices the subscription. `accounts`
    is ACCOUNTS, by which negotiated prices are found; without it plans price as they are listed.
    Raises: ConfigurationRefused for equal prices, unknown plans, cards or mixed currencies.
    """
    changes = SUBSCRIPTION_CHANGES.empty() if subscription_changes is None else subscription_changes
    problems = [
        *_unknown_plans(catalog, "subscriptions.csv", subscriptions),
        *_unknown_plans(catalog, "subscription_changes.csv", changes),
        *_card_problems(catalog),
    ]
    if problems:
        raise ConfigurationRefused(problems)
    if accounts is not None:
        at_own_prices = sold(catalog, accounts, subscriptions, changes)
        catalog, subscriptions = at_own_prices.catalog, at_own_prices.subscriptions
        changes = at_own_prices.subscription_changes
    plans = catalog.plans
    codes = {plan.key: code for code, plan in enumerate(plans, 1)}
    priced = [(plan, price) for plan in plans for price in usage_prices(plan)]
    of_model: dict[str, list[UsagePrice]] = {}
    for _, price in priced:
        of_model.setdefault(model_name(price), []).append(price)
    return PriceBook(
        time_zone=time_zone,
        plans=plans_held(subscriptions, changes, codes),
        plan_keys=tuple(codes),
        rules=price_rules(plans),
        prices=_price_table(priced, list(of_model)),
        models=tuple(event_model(prices[0]).prepare(prices) for prices in of_model.values()),
        cards=_cards(catalog, [price for _, price in priced], rate_card_prices, time_zone),
    )


def _price_table(priced: Sequence[tuple[Plan, UsagePrice]], names: Sequence[str]) -> pl.DataFrame:
    table = pl.DataFrame(
        {
            "product_key": [price.product for _, price in priced],
            "price_key": [price.key for _, price in priced],
            "currency": [plan.currency for plan, _ in priced],
            "model": [names.index(model_name(price)) for _, price in priced],
        },
        schema={
            "product_key": pl.String,
            "price_key": pl.String,
            "currency": pl.String,
            "model": pl.UInt32,
        },
    )
    return table.with_columns(price=pl.int_range(pl.len(), dtype=pl.UInt32).over("model"))


def _cards(
    catalog: Catalog,
    prices: Sequence[UsagePrice],
    rate_card_prices: pl.DataFrame,
    time_zone: str,
) -> dict[str, FlattenedCard]:
    """Every card a price names, and those that stand for prices by time of day."""
    keys = sorted({key for price in prices for key in _card_keys(price)})
    named = {
        key: flattened_card(catalog.rate_card_by_key[key], rate_card_prices, time_zone)
        for key in keys
    }
    by_time = {
        card_key(price): price_as_card(price, time_zone)
        for price in prices
        if isinstance(price, TimeOfDayUsage)
    }
    return named | by_time


def _card_keys(price: UsagePrice) -> list[str]:
    return [key for _, key, _ in cards_named(price)]


def _unknown_plans(catalog: Catalog, file: str, holders: pl.DataFrame) -> Iterator[Problem]:
    wanted = holders.get_column("plan_key").drop_nulls().unique().sort()
    for key in wanted.to_list():
        if key not in catalog.plan_by_key:
            yield Problem(file, None, "plan_key", f"unknown plan {key!r}")


def _card_problems(catalog: Catalog) -> Iterator[Problem]:
    for plan in catalog.plans:
        for price in usage_prices(plan):
            for key in _card_keys(price):
                card = catalog.rate_card_by_key.get(key)
                field = f"{plan.key}.{price.key}"
                if card is None:
                    yield Problem("plans.yaml", None, field, f"unknown rate card {key!r}")
                elif card.currency != plan.currency:
                    yield Problem(
                        "plans.yaml",
                        None,
                        field,
                        f"rate card {key!r} is in {card.currency}, the plan in {plan.currency}",
                    )
