"""Which price holds for which subscription: agreements found, ranked and laid over plans.

The order, the first that is in force on the day holds:

1. an agreement for the subscription, in `prices.yaml` or, as the amount of a fee, in
   `agreed_prices.csv`; one price is never agreed in both for the same day;
2. one for its account, then for the account's parent, its parent, and so on up;
3. one for the account's type;
4. one for everyone of the tenant;
5. what a tenant above agreed for the account type, then for everyone, the nearest tenant first;
6. the plan's own price, in the account's currency where the plan is sold in it.

Whoever has agreements gets a variant of the plan, named `<plan>~<n>`, of which nobody outside
hears: charges and rated usage name the price.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import polars as pl

from billing_pipeline.catalog.agreements import NegotiatedPrice
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.introductions import VARIANT, introduced
from billing_pipeline.catalog.overlay import overlaid
from billing_pipeline.catalog.plans import Plan

_OWN_TYPE, _OWN_EVERYONE = 1000, 1001  # an account has fewer accounts above it
_DEEPEST = 900
_HOLDER = ["subscription_key", "plan_key"]


class Ranked(NamedTuple):
    """An agreement that holds for a subscription and plan, and its place in the order."""

    rank: int
    agreement: NegotiatedPrice


@dataclass(frozen=True)
class Sold:
    """A catalog with the variants that are held, and the subscriptions that hold them."""

    catalog: Catalog
    subscriptions: pl.DataFrame
    subscription_changes: pl.DataFrame

    @property
    def variants(self) -> tuple[Plan, ...]:
        """The plans that agreements made."""
        return tuple(plan for plan in self.catalog.plans if VARIANT in plan.key)


def listed_plan(plan_key: str) -> str:
    """The plan of a variant, for people."""
    return plan_key.split(VARIANT, 1)[0]


def sold(
    catalog: Catalog,
    accounts: pl.DataFrame,
    subscriptions: pl.DataFrame,
    subscription_changes: pl.DataFrame,
) -> Sold:
    """Give every subscription the plan at its own prices.

    Frames are ACCOUNTS, SUBSCRIPTIONS and SUBSCRIPTION_CHANGES. A catalog without agreements,
    introductory usage prices and plans in several currencies comes back as it is.
    """
    agreed = _at_agreements(catalog, accounts, subscriptions, subscription_changes)
    first = introduced(
        agreed.catalog.plans, accounts, agreed.subscriptions, agreed.subscription_changes
    )
    if not first.variants:
        return agreed
    return Sold(
        replace(agreed.catalog, plans=(*agreed.catalog.plans, *first.variants)),
        first.subscriptions,
        first.subscription_changes,
    )


def _at_agreements(
    catalog: Catalog,
    accounts: pl.DataFrame,
    subscriptions: pl.DataFrame,
    subscription_changes: pl.DataFrame,
) -> Sold:
    """Every subscription on the plan as agreements and its currency make it."""
    if not _has_variants(catalog):
        return Sold(catalog, subscriptions, subscription_changes)
    holders = _holders(catalog, accounts, subscriptions, subscription_changes)
    variants = _variants(holders, _matches(catalog, accounts, holders))
    agreed = [one for _, one in _agreements(catalog)]
    plans = [
        overlaid(
            catalog.plan_by_key[plan_key].in_currency(currency), [agreed[n] for n in numbers]
        ).model_copy(update={"key": key})
        for key, plan_key, currency, numbers in variants.select(
            "variant", "plan_key", "billed_in", "numbers"
        )
        .unique("variant", maintain_order=True)
        .rows()
    ]
    names = variants.select(*_HOLDER, "variant")
    return Sold(
        replace(catalog, plans=(*catalog.plans, *plans)),
        _named(subscriptions, names),
        _named(subscription_changes, names),
    )


def agreements_of(
    catalog: Catalog, accounts: pl.DataFrame, subscriptions: pl.DataFrame, plan_key: str
) -> list[Ranked]:
    """Agreements that may price one subscription on a plan, the strongest first.

    Shape: `subscriptions` is a SUBSCRIPTIONS frame of one row. Days are not looked at.
    """
    on_plan = subscriptions.with_columns(plan_key=pl.lit(plan_key))
    holders = _holders(catalog, accounts, on_plan, on_plan.clear())
    agreed = [one for _, one in _agreements(catalog)]
    matches = _matches(catalog, accounts, holders).sort("rank", "number")
    return [Ranked(rank, agreed[n]) for rank, n in matches.select("rank", "number").rows()]


def billed_in(catalog: Catalog, plan_key: str, account_currency: str) -> str:
    """Currency an account is billed in for a plan: its own where the plan is sold in it."""
    plan = catalog.plan_by_key[plan_key]
    return account_currency if account_currency in plan.currencies else plan.currency


def _has_variants(catalog: Catalog) -> bool:
    return (
        bool(catalog.negotiated)
        or any(catalog.inherited)
        or any(plan.in_currencies for plan in catalog.plans)
    )


def _agreements(catalog: Catalog) -> list[tuple[int, NegotiatedPrice]]:
    """Own agreements with level 0, then those of each tenant above."""
    levels = (catalog.negotiated, *catalog.inherited)
    return [(level, one) for level, agreed in enumerate(levels) for one in agreed]


def _holders(
    catalog: Catalog, accounts: pl.DataFrame, subscriptions: pl.DataFrame, changes: pl.DataFrame
) -> pl.DataFrame:
    """Every subscription and plan it ever has, with its account and currency."""
    owners = subscriptions.select("subscription_key", "account_key")
    changed = changes.filter(pl.col("plan_key").is_not_null()).select(_HOLDER)
    held = pl.concat([subscriptions.select(_HOLDER), changed]).unique(maintain_order=True)
    types = accounts.select("account_key", "account_type", account_currency="currency")
    offered = pl.DataFrame(
        [(plan.key, plan.currency, list(plan.currencies)) for plan in catalog.plans],
        schema={"plan_key": pl.String, "own": pl.String, "offered": pl.List(pl.String)},
        orient="row",
    )
    is_offered = pl.col("offered").list.contains(pl.col("account_currency"))
    return (
        held.join(owners, on="subscription_key", how="inner", validate="m:1")
        .join(types, on="account_key", how="left", validate="m:1")
        .join(offered, on="plan_key", how="inner", validate="m:1", maintain_order="left")
        .with_columns(billed_in=pl.when(is_offered).then("account_currency").otherwise("own"))
    )


def _matches(catalog: Catalog, accounts: pl.DataFrame, holders: pl.DataFrame) -> pl.DataFrame:
    """One row per subscription, plan and agreement that may price it: `rank` and `number`."""
    agreed = _agreement_table(catalog)
    above = _above(accounts, holders.get_column("account_key"))
    of_type = agreed.filter(pl.col("account_type").is_not_null())
    named = ("subscription", "account", "account_type")
    is_for_all = pl.all_horizontal(pl.col(name).is_null() for name in named)
    found = [
        holders.join(agreed, left_on=_HOLDER, right_on=["subscription", "plan_key"], how="inner")
        .with_columns(rank=pl.lit(0)),
        holders.join(above, on="account_key", how="inner")
        .join(agreed, left_on=["above", "plan_key"], right_on=["account", "plan_key"], how="inner")
        .with_columns(rank=pl.col("depth") + 1),
        holders.join(of_type, on=["account_type", "plan_key"], how="inner")
        .with_columns(rank=_OWN_TYPE + 2 * pl.col("level")),
        holders.join(agreed.filter(is_for_all), on="plan_key", how="inner")
        .with_columns(rank=_OWN_EVERYONE + 2 * pl.col("level")),
    ]  # fmt: skip
    fits = pl.col("currency").is_null() | (pl.col("currency") == pl.col("billed_in"))
    kept = [*_HOLDER, pl.col("rank").cast(pl.Int64), "number"]
    return pl.concat([one.filter(fits).select(kept) for one in found])


def _agreement_table(catalog: Catalog) -> pl.DataFrame:
    """One row per agreement and plan it can hold in; `number` is its place among all."""
    keys = {plan.key: {price.key for price in plan.prices} for plan in catalog.plans}
    rows = [
        (number, level, one.subscription, one.account, one.account_type, one.currency, plan_key)
        for number, (level, one) in enumerate(_agreements(catalog))
        for plan_key in (one.plans or keys)
        if one.replaces in keys.get(plan_key, ())
    ]
    text = ("subscription", "account", "account_type", "currency", "plan_key")
    return pl.DataFrame(
        rows,
        schema={"number": pl.Int64, "level": pl.Int64, **dict.fromkeys(text, pl.String)},
        orient="row",
    )


def _above(accounts: pl.DataFrame, account_keys: pl.Series) -> pl.DataFrame:
    """Each account with itself and everything above it: account_key, above, depth."""
    parents = accounts.select(above="account_key", parent="parent_key")
    level = account_keys.unique().to_frame("account_key").with_columns(above="account_key")
    levels = []
    for depth in range(_DEEPEST):
        if level.is_empty():
            break
        levels.append(level.with_columns(depth=pl.lit(depth, dtype=pl.Int64)))
        level = (
            level.join(parents, on="above", how="inner", validate="m:1")
            .filter(pl.col("parent").is_not_null())
            .select("account_key", above="parent")
        )
    empty = pl.DataFrame(schema={"account_key": pl.String, "above": pl.String, "depth": pl.Int64})
    return pl.concat([empty, *levels]).unique(["account_key", "above"], keep="first")


def _variants(holders: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
    """Holders that do not have the plan as it is listed: `numbers` in order, and `variant`."""
    agreed = (
        matches.sort(*_HOLDER, "rank", "number")
        .group_by(_HOLDER, maintain_order=True)
        .agg(numbers=pl.col("number"))
    )
    nothing = pl.lit([], dtype=pl.List(pl.Int64))
    held = holders.join(agreed, on=_HOLDER, how="left", validate="1:1").with_columns(
        pl.col("numbers").fill_null(nothing)
    )
    differs = (pl.col("numbers").list.len() > 0) | (pl.col("billed_in") != pl.col("own"))
    written = pl.col("numbers").cast(pl.List(pl.String)).list.join(",")
    others = held.filter(differs).with_columns(
        what=pl.concat_str("plan_key", "billed_in", written, separator=" ")
    )
    number = pl.col("what").rank("dense").cast(pl.String)
    return others.sort("what", *_HOLDER).with_columns(
        variant=pl.concat_str("plan_key", number, separator=VARIANT)
    )


def _named(rows: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Rows with the variant in place of the plan. Shape: row by row."""
    return (
        rows.join(names, on=_HOLDER, how="left", validate="m:1", maintain_order="left")
        .with_columns(plan_key=pl.coalesce("variant", "plan_key"))
        .select(rows.columns)
    )
