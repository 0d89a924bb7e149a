"""Included units: events take them in event order until they are used up."""

from collections.abc import Sequence
from decimal import Decimal
from math import lcm

import polars as pl

from billing_pipeline.rating.exact import (
    ONE,
    WHOLE,
    AmountOverflow,
    checked_product,
    decimals,
    rounded_quotient,
    to_whole,
    wholes,
)
from billing_pipeline.vocabulary.money import AMOUNT

EVENT_ORDER = ("started_at", "file_key", "record_number")
"""The total order of events: never that of arrival."""

_LARGEST = 2**126
NO_MONEY = pl.lit(Decimal(0)).cast(AMOUNT)


def take_included_units(
    events: pl.DataFrame, by: Sequence[str], pools: pl.DataFrame
) -> pl.DataFrame:
    """Let each period's events take the units its pool has, in event order.

    An event that crosses the end of the pool is split: only what is left of it is priced. Its
    connection fee is money and stays; an event that is wholly included owes no fee.

    `events` is RATED_USAGE with `by` and `pricing_unit`; `pools` has one row per period: `by` and
    `included_units` in pricing units; a period without a pool has none.
    Shape: one row per event in event order, with `included_units` (measured units taken),
    `charged_units` (measured units left to price) and `charged_amount`.
    Raises: AmountOverflow.
    """
    ordered = events.join(pools, on=by, how="left", validate="m:1").sort(*by, *EVENT_ORDER)
    return _charged(_taken(ordered, by)).drop("pricing_unit")


def _taken(ordered: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Measured units each event takes: prices of different units meet at a common multiple."""
    units = ordered.select(unit=wholes(pl.col("pricing_unit"))).get_column("unit")
    common = lcm(ONE, *units.unique().to_list())
    counted = ordered.with_columns(
        weight=pl.lit(common, dtype=WHOLE) // pl.lit(units),
        size=wholes(pl.col("included_units").fill_null(0)) * (common // ONE),
    ).with_columns(common=wholes(pl.col("billable_units")) * pl.col("weight"))
    _must_fit(counted)
    until = pl.col("common").cum_sum().over(by)
    before = until - pl.col("common")
    taken = (pl.min_horizontal(until, pl.col("size")) - before).clip(lower_bound=0)
    return counted.with_columns(included_units=decimals(taken // pl.col("weight"))).drop(
        "weight", "size", "common"
    )


def _must_fit(counted: pl.DataFrame) -> None:
    """Refuse totals that a running sum could wrap; the Decimal total raises by itself."""
    total = to_whole(Decimal(counted.get_column("billable_units").sum() or 0))
    if total * (counted.get_column("weight").max() or 0) > _LARGEST:  # type: ignore[operator]
        raise AmountOverflow("billable units of the periods are too large to be summed")


def _charged(taken: pl.DataFrame) -> pl.DataFrame:
    """Price what the pool left over: at the unit price, or in proportion where there is none."""
    left = pl.col("billable_units") - pl.col("included_units")
    charged = taken.with_columns(charged_units=left)
    split = (pl.col("included_units") > 0) & (left > 0)
    parts = charged.select(
        left=pl.when(split).then(wholes(left)),
        rate=wholes(pl.coalesce("unit_price", "amount")),
        per=pl.when(pl.col("unit_price").is_null())
        .then(wholes(pl.col("billable_units")))
        .otherwise(wholes(pl.col("pricing_unit"))),
    )
    priced = rounded_quotient(pl.lit(checked_product(parts, "left", "rate")), pl.lit(parts["per"]))
    fee = pl.when(pl.col("unit_price").is_not_null()).then("connection_fee").fill_null(NO_MONEY)
    return charged.with_columns(
        charged_amount=pl.when(pl.col("included_units") == 0)
        .then("amount")
        .when(left == 0)
        .then(NO_MONEY)
        .otherwise(decimals(priced) + fee)
    )
