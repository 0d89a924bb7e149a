"""Rated usage summed for all controls that look at it, in one pass over the lake."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.assurance.schema import USAGE_PER_DAY
from billing_pipeline.vocabulary.periods import local_day

_BY_DAY = ["account_key", "subscription_key", "price_key", "local_date"]
_COUNTED = """
select cast(started_at as date) as partition_day, count(*) as events
from rated group by partition_day
"""
AT_PRICE = ["price_key", "unit_price", "connection_fee"]
AT_RATE = ["rate_prefix", "rate_band", "rate_valid_from"]
_DESTINATION = ["product_key", "rate_name", "currency"]
_AT_PRICES = ["account_key", *AT_PRICE, *AT_RATE]
_KEYS = (_BY_DAY, ["partition_day"], ["product_key"], _DESTINATION, _AT_PRICES)

_READ = [
    *("account_key", "subscription_key", "product_key", "price_key", "started_at"),
    *("billable_units", "unit_price", "connection_fee", "amount", "cost_amount", "currency"),
    *("rate_name", "rate_prefix", "rate_band", "rate_valid_from", "spans"),
]


@dataclass(frozen=True)
class UsageSummed:
    """What the controls want to know of rated usage.

    `per_day` is USAGE_PER_DAY; `counted` has partition_day, events; `free` product_key, events,
    free of events that have a price of their own; `margins` product_key, rate_name, currency,
    events, revenue, cost, margin where the cost is known, worst first; `at_prices` account_key,
    what was charged by (AT_PRICE, AT_RATE), events, units, fees, amount, first.
    """

    per_day: pl.DataFrame
    counted: pl.DataFrame
    free: pl.DataFrame
    margins: pl.DataFrame
    at_prices: pl.DataFrame


def summed_usage(portions: Iterable[pl.LazyFrame], time_zone: str) -> UsageSummed:
    """Sum RATED_USAGE every way that is asked for, each portion of it read once.

    A portion is held while it is summed, so that memory is bounded by the largest.
    """
    summed = [_summed_once(portion, time_zone) for portion in portions]
    per_day, counted, free, margins, at_prices = (
        _together(frames, keys)
        for frames, keys in zip(zip(*summed, strict=True), _KEYS, strict=True)
    )
    margins = margins.with_columns(margin=pl.col("revenue") - pl.col("cost"))
    return UsageSummed(
        per_day=USAGE_PER_DAY.conform(per_day.sort(_BY_DAY)),
        counted=counted,
        free=free,
        margins=margins.sort("margin", *_DESTINATION, nulls_last=True),
        at_prices=at_prices,
    )


def _summed_once(portion: pl.LazyFrame, time_zone: str) -> list[pl.DataFrame]:
    # Without it each sum with a filter of its own would scan the files again.
    once = portion.select(_READ).cache()
    plans = [
        _per_day(once, time_zone),
        # Counted by SQL, so that a rule of ours that loses rows cannot lose them here too.
        pl.SQLContext(rated=once).execute(_COUNTED),
        _free(once),
        _margins(once),
        _at_prices(once),
    ]
    return pl.collect_all(plans, engine="streaming")


def _together(frames: Sequence[pl.DataFrame], keys: list[str]) -> pl.DataFrame:
    """Sums of portions as one; `first` is the earliest."""
    if len(frames) == 1:
        return frames[0]
    added = [
        pl.col(name).min() if name == "first" else pl.col(name).sum()
        for name in frames[0].columns
        if name not in keys
    ]
    return pl.concat(frames).group_by(keys).agg(added)


def _per_day(rated_usage: pl.LazyFrame, time_zone: str) -> pl.LazyFrame:
    return (
        rated_usage.with_columns(local_date=local_day(pl.col("started_at"), time_zone))
        .group_by(_BY_DAY)
        .agg(
            pl.len().cast(pl.Int64).alias("events"),
            pl.col("billable_units").sum().alias("units"),
            pl.col("amount").sum(),
        )
    )


def _free(rated_usage: pl.LazyFrame) -> pl.LazyFrame:
    priced = rated_usage.filter(pl.col("unit_price").is_not_null(), pl.col("billable_units") > 0)
    return priced.group_by("product_key").agg(events=pl.len(), free=(pl.col("amount") == 0).sum())


def _margins(rated_usage: pl.LazyFrame) -> pl.LazyFrame:
    return (
        rated_usage.filter(pl.col("cost_amount").is_not_null())
        .group_by(_DESTINATION)
        .agg(
            events=pl.len().cast(pl.Int64),
            revenue=pl.col("amount").sum(),
            cost=pl.col("cost_amount").sum(),
        )
    )


def _at_prices(rated_usage: pl.LazyFrame) -> pl.LazyFrame:
    """Units and amounts of events with one price each, by account, price and rate."""
    own = rated_usage.filter(
        pl.col("unit_price").is_not_null(),
        pl.col("spans").is_null(),
        pl.col("billable_units") != 0,
    ).with_columns(
        pl.col("rate_prefix", "rate_band").fill_null(""),
        # What is given back carries its fee with a minus.
        connection_fee=pl.col("connection_fee").fill_null(0).abs(),
        fee=pl.col("connection_fee").fill_null(0),
    )
    return own.group_by(_AT_PRICES).agg(
        events=pl.len().cast(pl.Int64),
        units=pl.col("billable_units").sum(),
        fees=pl.col("fee").sum(),
        amount=pl.col("amount").sum(),
        first=pl.col("started_at").min().dt.date(),
    )
