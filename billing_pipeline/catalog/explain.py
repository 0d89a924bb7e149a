"""Why a subscription has a price: everything that could price it, in order, and what holds."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from billing_pipeline.catalog.agreements import NegotiatedPrice
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.overlay import holdings
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.prices import Price
from billing_pipeline.catalog.resolution import Ranked, agreements_of, billed_in

_HIDDEN = {"key", "product", "model", "applies_to", "valid_from", "valid_until", "priority"}


@dataclass(frozen=True)
class Candidate:
    """One price that could hold; `place` counts from 1, the strongest."""

    price_key: str
    place: int
    source: str
    name: str
    model: str
    terms: str
    valid_from: dt.date
    valid_until: dt.date | None
    holds: bool


def explain_prices(
    catalog: Catalog,
    accounts: pl.DataFrame,
    subscription: pl.DataFrame,
    plan_key: str,
    product_key: str,
    day: dt.date,
    agreed_prices: pl.DataFrame,
) -> list[Candidate]:
    """Candidates for each price of a product on a plan, on a local day, in the order they hold.

    `subscription` is a SUBSCRIPTIONS frame of one row, `agreed_prices` AGREED_PRICES: recurring
    amounts of single subscriptions, agreements with the subscription like those of prices.yaml.
    """
    currency = accounts.filter(
        pl.col("account_key") == subscription.item(0, "account_key")
    ).get_column("currency")
    plan = catalog.plan_by_key[plan_key]
    if currency.len():
        plan = plan.in_currency(billed_in(catalog, plan_key, currency[0]))
    ranked = agreements_of(catalog, accounts, subscription, plan_key)
    own = agreed_prices.filter(
        pl.col("subscription_key") == subscription.item(0, "subscription_key")
    ).sort("price_key", "valid_from")
    agreed = [one.agreement.price.product for one in ranked if one.agreement.price is not None]
    keys = [
        price.key for price in plan.prices if product_key == price.product or product_key in agreed
    ]
    return [
        candidate
        for key in dict.fromkeys(keys)
        for candidate in _in_order(
            [*_own_amounts(key, own, day), *_candidates(plan, key, ranked, day)]
        )
    ]


def _own_amounts(key: str, agreed: pl.DataFrame, day: dt.date) -> Iterator[Candidate]:
    rows = agreed.filter(pl.col("price_key") == key).select(
        "subscription_key", "amount", "valid_from", "valid_until"
    )
    for owner, amount, valid_from, valid_until in rows.rows():
        in_force = valid_from <= day and (valid_until is None or day < valid_until)
        yield Candidate(
            key, 0, f"subscription {owner}", "agreed_prices.csv", "flat",
            f"amount {amount.normalize():f}", valid_from, valid_until, in_force,
        )  # fmt: skip


def _in_order(found: list[Candidate]) -> Iterator[Candidate]:
    """Candidates numbered from 1; versions of one source share a number, only the first holds."""
    holding = next((one for one in found if one.holds), None)
    first = min((one.place for one in found), default=0)
    for one in found:
        yield replace(one, place=one.place - first + 1, holds=one is holding)


def _candidates(plan: Plan, key: str, ranked: list[Ranked], day: dt.date) -> Iterator[Candidate]:
    held = holdings(plan, key, [one.agreement for one in ranked])
    holding = next((one for one in held if one.since <= day < one.until), None)
    place = 0
    for one in ranked:
        if one.agreement.replaces != key:
            continue
        place += 1
        price = one.agreement.price or _version(plan, key, day)
        if price is None:
            continue
        stated = one.agreement.agreed(price)
        yield Candidate(
            key, place, target(one.agreement), one.agreement.key, stated.model, _terms(stated),
            one.agreement.valid_from, one.agreement.valid_until,
            holding is not None and holding.agreement is one.agreement,
        )  # fmt: skip
    for price in (price for price in plan.prices if price.key == key):
        yield Candidate(
            key, place + 1, f"plan {plan.key} in {plan.currency}", price.key, price.model,
            _terms(price), price.valid_from, price.valid_until,
            holding is not None and holding.agreement is None and holding.price is price,
        )  # fmt: skip


def target(agreement: NegotiatedPrice) -> str:
    """For whom an agreement is, for people."""
    if agreement.subscription is not None:
        return f"subscription {agreement.subscription}"
    if agreement.account is not None:
        return f"account {agreement.account}"
    if agreement.account_type is not None:
        return f"account type {agreement.account_type}"
    return "everyone"


def _version(plan: Plan, key: str, day: dt.date) -> Price | None:
    """The listed price in force, else its first version."""
    versions = [price for price in plan.prices if price.key == key]
    in_force = [one for one in versions if one.valid_from <= day < (one.valid_until or dt.date.max)]
    return next(iter([*in_force, *versions]), None)


def _terms(price: Price) -> str:
    stated = price.model_dump(mode="json", exclude_defaults=True, exclude=_HIDDEN)
    first = stated.pop("introductory", None)
    told = [f"{name} {value}" for name, value in stated.items()]
    if first is not None:
        periods = first.pop("periods")
        terms = ", ".join(f"{name} {value}" for name, value in first.pop("terms", first).items())
        told.append(f"in the first {periods} periods {terms}")
    return ", ".join(told)
