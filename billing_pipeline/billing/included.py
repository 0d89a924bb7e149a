"""Included units: what the plan's fee pays is taken before anything is priced."""

import polars as pl

from billing_pipeline.billing.usage_events import NO_MONEY, PERIOD
from billing_pipeline.billing.usage_prices import POOL_NUMBER
from billing_pipeline.rating.included import take_included_units
from billing_pipeline.vocabulary.money import QUANTITY

NOTHING_TAKEN = pl.lit(0).cast(QUANTITY)


def after_included_units(events: pl.DataFrame, pooled_prices: pl.DataFrame) -> pl.DataFrame:
    """What events leave to price once the pools of their plan are used up.

    Pools of a plan are emptied in the order it lists them; each in the order of events.
    Shape: the same events, `billable_units`, `amount` and `fees` reduced, with `included_units`
    in measured units. `events` are in periods; `pooled_prices` is POOLED_PRICES.
    """
    left = events.with_columns(included_units=NOTHING_TAKEN)
    for number in pooled_prices.get_column(POOL_NUMBER).unique().sort():
        pool = pooled_prices.filter(pl.col(POOL_NUMBER) == number)
        left = _after_pool(left, pool)
    return left


def _after_pool(events: pl.DataFrame, pool: pl.DataFrame) -> pl.DataFrame:
    """Let the events of one pool per plan take what it has."""
    priced = ["plan_key", "price_key"]
    pooled = events.join(pool, on=priced, how="inner", validate="m:1").rename(
        {"included_units": "taken_before"}
    )
    if pooled.is_empty():
        return events
    pools = pooled.select(PERIOD, included_units="pool_units").unique(maintain_order=True)
    taken = take_included_units(pooled, [PERIOD], pools)
    reduced = taken.with_columns(
        billable_units=pl.col("charged_units"),
        amount=pl.col("charged_amount"),
        # What is wholly included owes no fee for its connection.
        fees=pl.when(pl.col("charged_units") > 0).then("fees").otherwise(NO_MONEY),
        included_units=pl.col("taken_before") + pl.col("included_units"),
    )
    others = events.join(pool, on=priced, how="anti")
    return pl.concat([others, reduced.select(others.columns)])
