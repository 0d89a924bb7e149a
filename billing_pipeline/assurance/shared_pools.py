"""Included units that are shared, roll over or shrink with short periods: kept within bounds.

What exactly such a pool had is worked out by billing alone; the control asks what must hold
whatever the order of events: never less is charged than if all that could be free were, never
more than if only the period's own units were.
"""

from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.findings import account_findings
from billing_pipeline.assurance.schema import ACCOUNT_FINDINGS
from billing_pipeline.billing.pools import tops
from billing_pipeline.billing.usage_prices import POOL_NUMBER, pooled_prices, usage_prices
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.vocabulary.money import plain_text

_WHOLE = pl.Decimal(38, 10)
_LAST_DECIMALS = pl.lit(Decimal("0.000001"))
_POOL = [POOL_NUMBER, "sharer"]
_GROUP = [*_POOL, "service_from", "service_until"]


def shared_units_kept(
    charges: pl.DataFrame,
    usage_per_day: pl.DataFrame,
    subscriptions: pl.DataFrame,
    swapped: pl.Series,
    accounts: pl.DataFrame,
    catalog: Catalog,
) -> pl.DataFrame:
    """Usage charges of pools that leave out more units than they can have, or too few.

    Judged are pools all of whose users with usage are charged for the same days, on plans they
    never left and at listed prices. ACCOUNT_FINDINGS, blocking.

    Args:
        charges: CHARGES as computed.
        usage_per_day: USAGE_PER_DAY of their service.
        subscriptions: SUBSCRIPTIONS as known now.
        swapped: keys of subscriptions that changed their plan.
        accounts: ACCOUNTS, by whose tree units are shared.
        catalog: plans and their pools.
    """
    pools = _bounded_pools(pooled_prices(catalog))
    if pools.is_empty():
        return ACCOUNT_FINDINGS.empty()
    held = _held(subscriptions, pools, accounts)
    charged = _charged(charges, held, pools)
    doubtful = _doubtful(held, swapped, usage_per_day, catalog)
    judged = (
        charged.join(_used(charged, usage_per_day, held, pools), on=_GROUP, how="inner")
        .join(_sizes(charged, held), on=_GROUP, how="inner", validate="1:1")
        .join(doubtful, on=_POOL, how="anti")
        .filter(pl.col("users") == pl.col("charged_users"))
        .with_columns(
            least=(pl.col("used") - pl.col("highest")).clip(lower_bound=0),
            most=(pl.col("used") - pl.col("lowest")).clip(lower_bound=0),
        )
    )
    is_within = pl.col("charged").is_between(
        pl.col("least") - _LAST_DECIMALS, pl.col("most") + _LAST_DECIMALS
    )
    return account_findings(
        judged.filter(~is_within),
        control="included_units",
        severity="block",
        subject=pl.format("{} {}", "sharer", "service_from"),
        message=pl.format(
            "{} units were used of a pool that has {} to {}, and {} are charged. Compute the "
            "charges of this bill day again.",
            *(plain_text(pl.col(name)) for name in ("used", "lowest", "highest", "charged")),
        ),
    )


def _bounded_pools(pools: pl.DataFrame) -> pl.DataFrame:
    """Pools that no price shares with another and that count in one unit, but the plain ones."""
    pool = ["plan_key", POOL_NUMBER]
    is_plain = (
        (pl.col("shared_by") == "subscription")
        & (pl.col("pool_proration") == "none")
        & (pl.col("rollover_periods") == 0)
    )
    is_single = (pl.len().over("plan_key", "price_key") == 1).all().over(POOL_NUMBER)
    one_unit = pl.col("pricing_unit").n_unique().over(POOL_NUMBER) == 1
    one_rule = pl.struct("shared_by", "counted").n_unique().over(POOL_NUMBER) == 1
    return (
        pools.with_columns(is_judged=is_single & one_unit & one_rule & ~is_plain)
        .filter(pl.col("is_judged").all().over(pool))
        .drop("is_judged")
    )


def _held(subscriptions: pl.DataFrame, pools: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Each subscription and pool of its plan, with who shares it."""
    sharer = (
        pl.when(pl.col("shared_by") == "subscription")
        .then("subscription_key")
        .when(pl.col("shared_by") == "account")
        .then("account_key")
        .otherwise(pl.coalesce("top", "account_key"))
    )
    of_plan = pools.unique(["plan_key", POOL_NUMBER], maintain_order=True).drop(
        "price_key", "pricing_unit"
    )
    return (
        subscriptions.select(
            "account_key", "subscription_key", "plan_key", "started_on", "ended_on"
        )
        .join(of_plan, on="plan_key", how="inner")
        .join(tops(accounts), on="account_key", how="left", validate="m:1")
        .with_columns(sharer=sharer)
    )


def _charged(charges: pl.DataFrame, held: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
    """One row per pool and days of service that are charged."""
    return (
        charges.filter(pl.col("charge_kind") == "usage")
        .drop("account_key")
        .join(held, on="subscription_key", how="inner")
        .join(
            pools.select("plan_key", "price_key", POOL_NUMBER),
            on=["plan_key", "price_key", POOL_NUMBER],
            how="inner",
        )
        .group_by(_GROUP)
        .agg(
            pl.col("account_key").min(),
            charged=pl.col("quantity").sum().cast(_WHOLE),
            charged_users=pl.col("subscription_key").n_unique(),
        )
        # Days that begin differently belong to one pool in a way only billing knows.
        .filter(pl.len().over(_POOL) == 1)
    )


def _used(
    charged: pl.DataFrame, usage: pl.DataFrame, held: pl.DataFrame, pools: pl.DataFrame
) -> pl.DataFrame:
    """What everybody used of each pool in the days that are charged."""
    units = pl.col("units").cast(_WHOLE) / pl.col("pricing_unit").cast(_WHOLE)
    return (
        usage.select("subscription_key", "price_key", "local_date", "units")
        .join(held.select("subscription_key", "plan_key", *_POOL), on="subscription_key")
        .join(
            pools.select("plan_key", "price_key", POOL_NUMBER, "pricing_unit"),
            on=["plan_key", "price_key", POOL_NUMBER],
            how="inner",
        )
        .join(charged.select(_GROUP), on=_POOL, how="inner")
        .filter(
            pl.col("local_date") >= pl.col("service_from"),
            pl.col("local_date") < pl.col("service_until"),
        )
        .group_by(_GROUP)
        .agg(used=units.sum(), users=pl.col("subscription_key").n_unique())
    )


def _sizes(charged: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """The fewest and the most units a pool may have for the days that are charged."""
    begins, ends = pl.col("service_from"), pl.col("service_until")
    ended = pl.col("ended_on")
    overlaps = (pl.col("started_on") < ends) & (ended.is_null() | (ended > begins))
    is_whole = (pl.col("started_on") <= begins) & (ended.is_null() | (ended >= ends))
    is_sure = is_whole & (pl.col("pool_proration") == "none")
    units = pl.col("pool_units").cast(_WHOLE)
    sure = pl.when(is_sure).then(units).otherwise(pl.lit(0).cast(_WHOLE))
    once = pl.col("counted").first() == "once"
    periods = pl.col("rollover_periods").max() + 1
    return (
        charged.select(_GROUP)
        .join(held, on=_POOL, how="inner")
        .filter(overlaps)
        .with_columns(units=units, sure=sure)
        .group_by(_GROUP)
        .agg(
            lowest=pl.when(once).then(pl.col("sure").max()).otherwise(pl.col("sure").sum()),
            own=pl.when(once).then(pl.col("units").max()).otherwise(pl.col("units").sum()),
            periods=periods,
        )
        .with_columns(highest=(pl.col("own") * pl.col("periods")).cast(_WHOLE))
        .drop("own", "periods")
    )


def _doubtful(
    held: pl.DataFrame, swapped: pl.Series, usage: pl.DataFrame, catalog: Catalog
) -> pl.DataFrame:
    """Pools some of whose users changed plans, or pay prices that are not their plan's."""
    listed = usage_prices(catalog).select("plan_key", "price_key")
    at_other_prices = (
        usage.select("subscription_key", "price_key")
        .unique()
        .join(held, on="subscription_key", how="inner")
        .join(listed, on=["plan_key", "price_key"], how="anti")
    )
    left = held.filter(pl.col("subscription_key").is_in(swapped.implode()))
    return pl.concat([at_other_prices.select(_POOL), left.select(_POOL)]).unique()
