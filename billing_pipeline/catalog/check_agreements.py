"""Checks of negotiated prices against plans, customers and each other."""

from collections.abc import Iterator
from itertools import combinations

import polars as pl
from pydantic import ValidationError

from billing_pipeline.catalog.agreements import NegotiatedPrice
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.check_plans import price_problems
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.prices import Price
from billing_pipeline.catalog.resolution import listed_plan, sold
from billing_pipeline.catalog.selection import ambiguous_prices, share_a_day
from billing_pipeline.vocabulary.problems import Problem

_FILE = "prices.yaml"


def check_agreements(
    catalog: Catalog, accounts: pl.DataFrame, subscriptions: pl.DataFrame
) -> list[Problem]:
    """Agreements that name what is not there, contradict each other, or make prices ambiguous.

    Shape: ACCOUNTS and SUBSCRIPTIONS, with ROW or without.
    """
    problems = [
        problem
        for position, agreed in enumerate(catalog.negotiated)
        for problem in (
            *_unknown_customers(f"prices/{position}", agreed, accounts, subscriptions),
            *_unfit_prices(f"prices/{position}", agreed, catalog),
        )
    ]
    problems += _contradictions(catalog)
    if problems:
        return problems
    return list(_ambiguous_variants(catalog, accounts, subscriptions))


def _unknown_customers(
    path: str, agreed: NegotiatedPrice, accounts: pl.DataFrame, subscriptions: pl.DataFrame
) -> Iterator[Problem]:
    for field, key, known in (
        ("account", agreed.account, accounts.get_column("account_key")),
        ("subscription", agreed.subscription, subscriptions.get_column("subscription_key")),
    ):
        if key is not None and key not in known:
            message = f"no {field} {key!r} in {field}s.csv; add it there or correct the key"
            yield Problem(_FILE, None, f"{path}/{field}", message)


def _unfit_prices(path: str, agreed: NegotiatedPrice, catalog: Catalog) -> Iterator[Problem]:
    plans = [catalog.plan_by_key[key] for key in agreed.plans if key in catalog.plan_by_key]
    for number, key in enumerate(agreed.plans):
        if key not in catalog.plan_by_key:
            message = f"no plan {key!r} in plans.yaml; add it there or correct the key"
            yield Problem(_FILE, None, f"{path}/plans/{number}", message)
    priced = [plan for plan in plans or catalog.plans if _listed(plan, agreed.replaces)]
    if not priced:
        field = f"{path}/instead_of" if agreed.instead_of is not None else f"{path}/price"
        message = f"no plan it is for has a price {agreed.replaces!r} that it could replace"
        yield Problem(_FILE, None, field, message)
    for plan in priced:
        for listed in _listed(plan, agreed.replaces):
            yield from _unfit(path, agreed, plan, listed, catalog)


def _listed(plan: Plan, key: str) -> list[Price]:
    return [price for price in plan.prices if price.key == key]


def _unfit(
    path: str, agreed: NegotiatedPrice, plan: Plan, listed: Price, catalog: Catalog
) -> Iterator[Problem]:
    try:
        price = agreed.agreed(listed)
    except ValidationError as error:
        for wrong in error.errors():
            named = ".".join(str(step) for step in wrong["loc"])
            message = f"does not fit price {listed.key!r} of plan {plan.key!r}: {wrong['msg']}"
            yield Problem(_FILE, None, f"{path}/terms", f"{named} {message}".strip())
        return
    if price.key == listed.key and price.model != listed.model:
        message = (
            f"is of model {price.model}, price {listed.key!r} of plan {plan.key!r} of"
            f" {listed.model}; give it a key of its own and say instead_of: {listed.key}"
        )
        yield Problem(_FILE, None, f"{path}/price/model", message)
    if price.key != listed.key and _listed(plan, price.key):
        message = f"the key {price.key!r} is taken by another price of plan {plan.key!r}"
        yield Problem(_FILE, None, f"{path}/price/key", message)
    currency = agreed.currency or (None if plan.in_currencies else plan.currency)
    place = f"{path}/price" if agreed.price is not None else path
    yield from price_problems(_FILE, place, price, currency, catalog)


def _contradictions(catalog: Catalog) -> Iterator[Problem]:
    for (_, one), (position, other) in combinations(enumerate(catalog.negotiated), 2):
        if (one.key, one.valid_from) == (other.key, other.valid_from):
            message = f"the agreement {one.key!r} has a price from {one.valid_from} already"
            yield Problem(_FILE, None, f"prices/{position}", message)
        if _same_place(one, other) and share_a_day(one, other):
            message = (
                f"prices what {one.key!r} prices for the same customers and days;"
                " end one of them or remove it"
            )
            yield Problem(_FILE, None, f"prices/{position}", message)


def _same_place(one: NegotiatedPrice, other: NegotiatedPrice) -> bool:
    return (
        (one.subscription, one.account, one.account_type, one.replaces)
        == (other.subscription, other.account, other.account_type, other.replaces)
        and (not one.plans or not other.plans or bool({*one.plans} & {*other.plans}))
        and (None in (one.currency, other.currency) or one.currency == other.currency)
    )


def _ambiguous_variants(
    catalog: Catalog, accounts: pl.DataFrame, subscriptions: pl.DataFrame
) -> Iterator[Problem]:
    unchanged = subscriptions.select(
        "subscription_key", "plan_key", effective_on="started_on"
    ).clear()
    at_own_prices = sold(catalog, accounts, subscriptions, unchanged)
    for variant in at_own_prices.variants:
        for problem in ambiguous_prices(variant):
            where = f"in plan {listed_plan(variant.key)!r} with what was agreed"
            yield Problem(_FILE, None, None, f"{where}, {problem.message}")
