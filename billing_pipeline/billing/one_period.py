"""Rated usage priced as if all of it lay in one billing period of one plan: for trials."""

from dataclasses import dataclass

import polars as pl

from billing_pipeline.billing.included import NOTHING_TAKEN, after_included_units
from billing_pipeline.billing.over_period import usage_over_periods
from billing_pipeline.billing.pools import pools_of
from billing_pipeline.billing.summed import SUMMED_MODELS, summed_usage
from billing_pipeline.billing.usage_events import MEASURED, NO_MONEY, PERIOD
from billing_pipeline.billing.usage_prices import fee_rules, pooled_prices, usage_prices
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.vocabulary.periods import local_day

_PRICE = ["plan_key", "price_key"]
_NOBODY = pl.DataFrame(schema={"account_key": pl.String, "parent_key": pl.String})


@dataclass(frozen=True)
class OnePeriod:
    """What usage comes to in one period.

    `totals` is one row per price with events: price_key, model, unit, events, included_units
    (measured units), quantity (pricing units), amount, currency. `taken` says which units every
    event took of what is included: file_key, record_number, included_units (measured units).
    """

    totals: pl.DataFrame
    taken: pl.DataFrame


def priced_in_one_period(
    catalog: Catalog, plan_key: str, rated: pl.DataFrame, time_zone: str
) -> OnePeriod:
    """What RATED_USAGE comes to per price of a plan, by the code that bills."""
    plan = catalog.plan_by_key[plan_key]
    days = rated.select(local_day(pl.col("started_at"), time_zone)).to_series()
    prices = usage_prices(catalog).filter(pl.col("plan_key") == plan_key)
    usage = rated.with_columns(
        pl.lit(0, pl.UInt32).alias(PERIOD),
        plan_key=pl.lit(plan_key),
        local_date=days,
        fees=pl.col("connection_fee").fill_null(NO_MONEY),
        events=pl.lit(1, dtype=pl.Int64),
        included_units=NOTHING_TAKEN,
    ).join(prices.select(_PRICE), on=_PRICE, how="semi")
    complete = pl.DataFrame(
        {
            PERIOD: [0],
            "plan_key": [plan_key],
            "service_from": [days.min()],
            "service_until": [days.max()],
        },
        schema={
            PERIOD: pl.UInt32,
            "plan_key": pl.String,
            "service_from": pl.Date,
            "service_until": pl.Date,
        },
    ).with_columns(
        pl.col("service_until").dt.offset_by("1d"),
        subscription_key=pl.lit(plan_key),
        account_key=pl.lit(plan_key),
        period_from=pl.col("service_from"),
        period_until=pl.col("service_until"),
    )
    pooled = pooled_prices(catalog).filter(pl.col("plan_key") == plan_key)
    single = after_included_units(
        usage.drop("included_units"),
        pooled,
        pools_of(complete, pooled, _NOBODY),
        fee_rules(catalog),
    )
    measured = single.select(PERIOD, *_PRICE, "unit_price", *MEASURED, "included_units")
    summed = prices.filter(pl.col("model").is_in(SUMMED_MODELS))
    totals = pl.concat(
        [
            summed_usage(measured, summed),
            usage_over_periods(measured, single, complete, catalog, time_zone),
        ]
    )
    named = (
        totals.join(prices, on=_PRICE, how="inner", validate="m:1")
        .with_columns(currency=pl.lit(plan.currency))
        .select(
            "price_key", "model", "unit", "events", "included_units", "quantity", "amount",
            "currency",
        )
        .sort("price_key")
    )  # fmt: skip
    return OnePeriod(named, single.select("file_key", "record_number", "included_units"))
