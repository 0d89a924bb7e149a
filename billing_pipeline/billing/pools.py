"""Pools of included units: who shares one, what it has, and which comes after which."""

from typing import NamedTuple

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.usage_events import PERIOD
from billing_pipeline.billing.usage_prices import POOL_NUMBER
from billing_pipeline.catalog.introductions import VARIANT
from billing_pipeline.vocabulary.money import exact_product
from billing_pipeline.vocabulary.periods import days_between

POOL = "pool"
"""Name of a pool of one billing period."""

_SPAN = ["period_from", "period_until"]
_TREE = "account_tree"


class Pools(NamedTuple):
    """`members`: period, price and the pool they take from; `sizes`: what each pool has."""

    members: pl.DataFrame
    sizes: pl.DataFrame


def pools_of(complete: pl.DataFrame, pooled: pl.DataFrame, accounts: pl.DataFrame) -> Pools:
    """Put complete billing periods into the pools their plans name.

    Subscriptions share a pool if they have its key, its account or tree, and the same billing
    period. `complete` are numbered billing periods, `pooled` is POOLED_PRICES.
    """
    top = tops(accounts)
    # A teaser that ends changes the variant of the plan, not whose units they are.
    listed = pl.col("plan_key").str.extract(f"^([^{VARIANT}]*)")
    held = (
        complete.join(pooled, on="plan_key", how="inner")
        .join(top, on="account_key", how="left", validate="m:1")
        .with_columns(
            sharer=pl.when(pl.col("shared_by") == "subscription")
            .then(pl.concat_str("subscription_key", listed, separator="/"))
            .when(pl.col("shared_by") == "account")
            .then("account_key")
            .otherwise(pl.coalesce("top", "account_key"))
        )
        .with_columns(chain=pl.concat_str("pool_key", "shared_by", "sharer", separator=" "))
        .with_columns(
            pl.concat_str(
                "chain",
                *_SPAN,
                # What nobody shares is given to each span of a plan within a period.
                pl.when(pl.col("shared_by") == "subscription")
                .then(pl.col("service_from").cast(pl.String))
                .otherwise(pl.lit("")),
                separator=" ",
            ).alias(POOL)
        )
    )
    return Pools(held.select(PERIOD, "price_key", POOL_NUMBER, POOL), _sizes(held))


def tops(accounts: pl.DataFrame) -> pl.DataFrame:
    """Each account with the one at the top of its tree: account_key, top."""
    parents = accounts.select(top="account_key", parent="parent_key")
    found = accounts.select("account_key", top="account_key")
    for _ in range(accounts.height):
        above = found.join(parents, on="top", how="left", validate="m:1", maintain_order="left")
        if above.get_column("parent").is_null().all():
            break
        found = above.select("account_key", top=pl.coalesce("parent", "top"))
    return found


def pool_mates(facts: BillingFacts, account_keys: pl.Series) -> pl.Series:
    """The accounts with all that share pools with them: their trees, if any pool is a tree's."""
    shares = any(
        included.shared_by == _TREE
        for plan in facts.catalog.plans
        for included in plan.included_units
    )
    if not shares:
        return account_keys
    top = tops(facts.accounts)
    own = top.filter(pl.col("account_key").is_in(account_keys.implode())).select("top").unique()
    return top.join(own, on="top", how="semi").get_column("account_key")


def _sizes(held: pl.DataFrame) -> pl.DataFrame:
    """Units of each pool: of every subscription in it once, or once for all of them."""
    days = days_between(pl.col("service_from"), pl.col("service_until"))
    whole = days_between(pl.col("period_from"), pl.col("period_until"))
    part = exact_product(pl.col("pool_units"), days, over=whole)
    is_prorated = pl.col("pool_proration") == "actual_days"
    own = held.unique([POOL, PERIOD], keep="first", maintain_order=True).with_columns(
        given=pl.when(is_prorated).then(part).otherwise("pool_units")
    )
    # The parts of a period on two plans add up to one; a whole pool is given once.
    by_owner = own.group_by(POOL, "subscription_key", maintain_order=True).agg(
        pl.col(POOL_NUMBER, "chain", "rollover_periods", "counted").first(),
        turn=pl.col("period_from").first(),
        given=pl.when(is_prorated.all())
        .then(pl.col("given").sum())
        .otherwise(pl.col("given").max()),
    )
    given = pl.col("given")
    return by_owner.group_by(POOL, maintain_order=True).agg(
        pl.col(POOL_NUMBER, "chain", "rollover_periods", "turn").first(),
        included_units=pl.when(pl.col("counted").first() == "once")
        .then(given.max())
        .otherwise(given.sum()),
    )
