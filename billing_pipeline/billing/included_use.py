"""How much of their included units open periods have used: for alerts before a bill surprises."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.cycles import billed_periods
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.history import plan_spans
from billing_pipeline.billing.look_back import with_look_back
from billing_pipeline.billing.pools import POOL, pool_mates, pools_of
from billing_pipeline.billing.prices import Columns, at_agreed_prices
from billing_pipeline.billing.spans import subscription_spans
from billing_pipeline.billing.usage_events import (
    PERIOD,
    events_before,
    in_periods,
    numbered,
    usage_by_day,
)
from billing_pipeline.billing.usage_prices import POOL_NUMBER, pooled_prices
from billing_pipeline.rating.exact import decimals, wholes
from billing_pipeline.rating.included import with_rollover
from billing_pipeline.vocabulary.money import AMOUNT, exact_product

_COLUMNS: Columns = {
    "account_key": pl.String,
    "subject": pl.String,
    "used": AMOUNT,
    "size": AMOUNT,
}
_USE = pl.Schema(_COLUMNS)


def included_use(facts: BillingFacts, account_keys: pl.Series, today: dt.date) -> pl.DataFrame:
    """Units that usage up to the end of `today` could take from each pool, and what it has.

    What earlier periods left over counts to the pool where units roll over. A price that may
    take from several pools counts in each of them, so an alert comes early rather than late.
    Shape: one row per account and pool of a period that holds today: account_key, subject (the
    pool, and the subscription whose own it is), used, size. Units: pricing units of the pool.
    """
    sharing = pool_mates(facts, account_keys)
    facts = at_agreed_prices(facts, sharing)
    pooled = pooled_prices(facts.catalog)
    if pooled.is_empty():
        return pl.DataFrame(schema=_USE)
    tomorrow = today + dt.timedelta(days=1)
    spans = with_look_back(
        subscription_spans(facts, sharing), tomorrow, facts.tenant.look_back_periods
    )
    periods = numbered(billed_periods(plan_spans(spans), today))
    members, sizes = pools_of(periods, pooled, facts.accounts)
    used = _used(facts, periods, pooled, members, tomorrow)
    held = _with_rests(sizes.join(used, on=POOL, how="left", validate="1:1"))
    is_open = (pl.col("service_from") <= today) & (pl.col("service_until") > today)
    named = (
        members.join(periods.filter(is_open), on=PERIOD, how="inner", validate="m:1")
        .join(
            pooled.select("plan_key", "price_key", POOL_NUMBER, "pool_key", "shared_by"),
            on=["plan_key", "price_key", POOL_NUMBER],
            how="inner",
            validate="m:1",
        )
        .with_columns(
            subject=pl.when(pl.col("shared_by") == "subscription")
            .then(pl.concat_str("subscription_key", "pool_key", separator=" "))
            .otherwise("pool_key")
        )
        .filter(pl.col("account_key").is_in(account_keys.implode()))
        .unique(["account_key", "subject", POOL], maintain_order=True)
    )
    return (
        named.join(held, on=POOL, how="inner", validate="m:1")
        .group_by("account_key", "subject")
        .agg(pl.col("used", "size").max())
        .select(_USE.names())
        .sort("account_key", "subject")
    )


def _used(
    facts: BillingFacts,
    periods: pl.DataFrame,
    pooled: pl.DataFrame,
    members: pl.DataFrame,
    tomorrow: dt.date,
) -> pl.DataFrame:
    """Pricing units of each pool's events: pool, used."""
    prices = pooled.select("plan_key", "price_key", "pricing_unit").unique(maintain_order=True)
    days = usage_by_day(events_before(facts, periods, tomorrow), prices)
    placed = in_periods(days, periods, prices)
    return (
        placed.join(prices, on=["plan_key", "price_key"], how="inner", validate="m:1")
        .join(members, on=[PERIOD, "price_key"], how="inner")
        .with_columns(units=exact_product(pl.col("billable_units"), over=pl.col("pricing_unit")))
        .group_by(POOL)
        .agg(used=pl.col("units").sum().cast(AMOUNT))
    )


def _with_rests(pools: pl.DataFrame) -> pl.DataFrame:
    """Pools with `used` and `size`, both in pricing units; what is left over is carried on."""
    whole = pools.with_columns(
        size=wholes(pl.col("included_units")), used=wholes(pl.col("used").fill_null(0))
    )
    if (whole.get_column("rollover_periods") > 0).any():
        whole = with_rollover(whole)
    return whole.select(POOL, used=decimals(pl.col("used")), size=decimals(pl.col("size")))
