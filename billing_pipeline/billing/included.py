"""Included units: what the plan's fee pays is taken before anything is priced."""

import polars as pl

from billing_pipeline.billing.pools import POOL, Pools
from billing_pipeline.billing.usage_events import NO_MONEY, PERIOD
from billing_pipeline.billing.usage_prices import POOL_NUMBER
from billing_pipeline.rating.included import FEE_ON_INCLUDED, take_included_units
from billing_pipeline.vocabulary.money import QUANTITY

NOTHING_TAKEN = pl.lit(0).cast(QUANTITY)


def after_included_units(
    events: pl.DataFrame, pooled_prices: pl.DataFrame, pools: Pools, fee_rules: pl.DataFrame
) -> pl.DataFrame:
    """What events leave to price once the pools they may take from are used up.

    Pools are emptied by their number; each in the order of events, whosever they are.
    Shape: the same events, `billable_units`, `amount` and `fees` reduced, with `included_units`
    in measured units. `events` are in periods; `pooled_prices` is POOLED_PRICES,
    `fee_rules` FEE_RULES: of the versions of a price that of the event's local day decides.
    """
    left = _with_fee_rule(events, fee_rules).with_columns(included_units=NOTHING_TAKEN)
    units = pooled_prices.select("plan_key", "price_key", POOL_NUMBER, "pricing_unit")
    for number in units.get_column(POOL_NUMBER).unique().sort():
        of_number = pl.col(POOL_NUMBER) == number
        left = _after_pools(
            left,
            units.filter(of_number).drop(POOL_NUMBER),
            Pools(pools.members.filter(of_number), pools.sizes.filter(of_number)),
        )
    return left.drop(FEE_ON_INCLUDED)


def _with_fee_rule(events: pl.DataFrame, rules: pl.DataFrame) -> pl.DataFrame:
    """Events with FEE_ON_INCLUDED, by the version of their price on their day."""
    if not rules.get_column(FEE_ON_INCLUDED).any():
        return events.with_columns(pl.lit(value=False).alias(FEE_ON_INCLUDED))
    return (
        events.sort("local_date")
        .join_asof(
            rules.sort("valid_from"),
            left_on="local_date",
            right_on="valid_from",
            by=["plan_key", "price_key"],
            strategy="backward",
            coalesce=True,
            check_sortedness=False,  # both sides are sorted by day
        )
        .with_columns(pl.col(FEE_ON_INCLUDED).fill_null(value=False))
    )


def _after_pools(events: pl.DataFrame, units: pl.DataFrame, pools: Pools) -> pl.DataFrame:
    """Let events take what the pools of one number have."""
    pooled = (
        events.join(pools.members.drop(POOL_NUMBER), on=[PERIOD, "price_key"], how="inner")
        .join(units, on=["plan_key", "price_key"], how="inner", validate="m:1")
        .rename({"included_units": "taken_before"})
    )
    if pooled.is_empty():
        return events
    sizes = pools.sizes.drop(POOL_NUMBER)
    if not (sizes.get_column("rollover_periods") > 0).any():
        sizes = sizes.select(POOL, "included_units")
    taken = take_included_units(pooled, [POOL], sizes)
    reduced = taken.with_columns(
        billable_units=pl.col("charged_units"),
        amount=pl.col("charged_amount"),
        # What is wholly included owes no fee for its connection, unless its price says so.
        fees=pl.when((pl.col("charged_units") > 0) | pl.col(FEE_ON_INCLUDED))
        .then("fees")
        .otherwise(NO_MONEY),
        included_units=pl.col("taken_before") + pl.col("included_units"),
    )
    others = events.join(pools.members, on=[PERIOD, "price_key"], how="anti")
    return pl.concat([others, reduced.select(others.columns)])
