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

FEE_ON_INCLUDED = "fee_on_included"
"""Column: whether an event that is wholly included owes its connection fee."""


def take_included_units(
    events: pl.DataFrame, by: Sequence[str], pools: pl.DataFrame
) -> pl.DataFrame:
    """Let each period's events take the units its pool has, in event order.

    An event that crosses the end of the pool is split: only what is left of it is priced. Its
    connection fee is money and stays, within the event's maximum; an event that is wholly included
    owes it where `events` has FEE_ON_INCLUDED and that says so.

    `events` is RATED_USAGE with `by` and `pricing_unit`; `pools` has one row per period: `by` and
    `included_units` in pricing units; a period without a pool has none. Pools whose rest rolls
    over say for how many `rollover_periods`, in which `chain` they follow each other, and their
    `turn` in it; every period of a chain is there, with events or without.
    Shape: one row per event in event order, with `included_units` (measured units taken),
    `charged_units` (measured units left to price) and `charged_amount`.
    Raises: AmountOverflow.
    """
    counted = _in_common_units(events)
    common = lcm(ONE, *counted.get_column("unit").unique().to_list())
    sizes = pools.with_columns(size=wholes(pl.col("included_units")) * (common // ONE))
    if "rollover_periods" in pools.columns:
        used = counted.group_by(by).agg(used=pl.col("common").sum())
        sizes = with_rollover(sizes.join(used, on=by, how="left", validate="1:1"))
    ordered = counted.join(
        sizes.select(*by, "size"), on=by, how="left", validate="m:1", maintain_order="left"
    ).sort(*by, *EVENT_ORDER)
    return _charged(_taken(ordered, by)).drop("pricing_unit")


def with_rollover(pools: pl.DataFrame) -> pl.DataFrame:
    """Pools with what earlier turns of their chain left them, the oldest rest used first.

    `pools` has chain, turn, rollover_periods, size and used (null is nothing).
    Example: 100 a turn, kept for one more: 40 used leave 60; of 160 then 130 are used, first the
    60 that expire, so 30 are left for the third turn and it has 130.
    Shape: one row per pool, `size` with what was carried over.
    """
    longest = int(str(pools.get_column("rollover_periods").max() or 0))
    ages = [f"rest_{age}" for age in range(1, longest + 1)]
    nothing = pl.lit(0, dtype=WHOLE)
    rest = pools.select("chain").unique().with_columns(nothing.alias(age) for age in ages)
    turns = []
    for turn in pools.get_column("turn").unique().sort():
        now = pools.filter(pl.col("turn") == turn).join(
            rest, on="chain", how="left", validate="1:1"
        )
        held = now.with_columns(size=pl.col("size") + pl.sum_horizontal(nothing, *ages))
        turns.append(held.select(pools.columns))
        left = _rest(now, ages)
        rest = pl.concat([rest.join(left, on="chain", how="anti"), left])
    return pl.concat([pools.clear(), *turns])


def _rest(now: pl.DataFrame, ages: Sequence[str]) -> pl.DataFrame:
    """What each chain has left after a turn, by age: the oldest is used up first."""
    used = pl.col("used").fill_null(0).cast(WHOLE)
    rests = []
    for held in (*reversed(ages), "size"):
        rests.append(pl.max_horizontal(pl.col(held) - used, pl.lit(0, dtype=WHOLE)))
        used = pl.max_horizontal(used - pl.col(held), pl.lit(0, dtype=WHOLE))
    # What was of this turn is one turn old in the next; what was oldest is gone.
    younger = list(reversed(rests))[: len(ages)]
    return now.select(
        "chain",
        *(
            pl.when(pl.col("rollover_periods") >= age).then(left).otherwise(0).alias(name)
            for age, (name, left) in enumerate(zip(ages, younger, strict=True), start=1)
        ),
    )


def _in_common_units(events: pl.DataFrame) -> pl.DataFrame:
    """Events in a common measure: prices of different units meet at a common multiple."""
    units = events.select(unit=wholes(pl.col("pricing_unit"))).get_column("unit")
    common = lcm(ONE, *units.unique().to_list())
    counted = events.with_columns(
        unit=units, weight=pl.lit(common, dtype=WHOLE) // pl.lit(units)
    ).with_columns(common=wholes(pl.col("billable_units")) * pl.col("weight"))
    _must_fit(counted)
    return counted


def _taken(ordered: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Measured units each event takes of its pool."""
    until = pl.col("common").cum_sum().over(by)
    before = until - pl.col("common")
    size = pl.col("size").fill_null(0)
    taken = (pl.min_horizontal(until, size) - before).clip(lower_bound=0)
    return ordered.with_columns(included_units=decimals(taken // pl.col("weight"))).drop(
        "weight", "size", "common", "unit"
    )


def _must_fit(counted: pl.DataFrame) -> None:
    """Refuse totals that a running sum could wrap; the Decimal total raises by itself."""
    total = to_whole(Decimal(counted.get_column("billable_units").sum() or 0))
    if total * (counted.get_column("weight").max() or 0) > _LARGEST:  # type: ignore[operator]
        raise AmountOverflow("billable units of the periods are too large to be summed")


def _charged(taken: pl.DataFrame) -> pl.DataFrame:
    """Price what the pool left over: at the unit price, or in proportion where there is none."""
    left = pl.col("billable_units") - pl.col("included_units")
    fee = pl.col("connection_fee").fill_null(NO_MONEY)
    charged = taken.with_columns(charged_units=left)
    split = (pl.col("included_units") > 0) & (left > 0)
    parts = charged.select(
        left=pl.when(split).then(wholes(left)),
        rate=wholes(pl.coalesce("unit_price", (pl.col("amount") - fee).clip(lower_bound=0))),
        per=pl.when(pl.col("unit_price").is_null())
        .then(wholes(pl.col("billable_units")))
        .otherwise(wholes(pl.col("pricing_unit"))),
    )
    priced = rounded_quotient(pl.lit(checked_product(parts, "left", "rate")), pl.lit(parts["per"]))
    has_rule = FEE_ON_INCLUDED in taken.columns
    owed = pl.when(pl.col(FEE_ON_INCLUDED)).then(fee).otherwise(NO_MONEY) if has_rule else NO_MONEY
    return charged.with_columns(
        charged_amount=pl.when(pl.col("included_units") == 0)
        .then("amount")
        .when(left == 0)
        .then(_as_capped(owed))
        .otherwise(_as_capped(decimals(priced) + fee))
    )


def _as_capped(due: pl.Expr) -> pl.Expr:
    """No more than the event costs where nothing of it is included: its maximum caps it still.

    Only what a negative price takes off may be less than a part of it.
    """
    takes_off = pl.col("unit_price").fill_null(NO_MONEY) < 0
    return pl.when(takes_off).then(due).otherwise(pl.min_horizontal(due, "amount"))
