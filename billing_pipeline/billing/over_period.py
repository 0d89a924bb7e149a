"""Usage that is priced over the billing period as a whole: tiers, percentiles, counts."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from billing_pipeline.billing.included import NOTHING_TAKEN
from billing_pipeline.billing.summed import PRICED_USAGE
from billing_pipeline.billing.usage_events import PERIOD
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.prices import (
    CumulativePrice,
    LatestUsage,
    MeteredUsage,
    PercentileUsage,
    PeriodPrice,
)
from billing_pipeline.rating.metering import metered_charges
from billing_pipeline.rating.models.latest import latest_charges
from billing_pipeline.rating.models.percentile import percentile_charges
from billing_pipeline.rating.period import cumulative_charges
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY, exact_product
from billing_pipeline.vocabulary.periods import day_start


class PeriodVersion(NamedTuple):
    """A version of a period price and the periods it prices: those that begin in its time."""

    plan_key: str
    price: PeriodPrice
    begins_within: pl.Expr


def period_versions(catalog: Catalog) -> Iterator[PeriodVersion]:
    """Versions of the prices over a period; the first one prices what began before it too."""
    begin = pl.col("service_from")
    for plan in catalog.plans:
        priced = [price for price in plan.prices if isinstance(price, PeriodPrice)]
        for key in dict.fromkeys(price.key for price in priced):
            versions = sorted(
                (price for price in priced if price.key == key), key=lambda one: one.valid_from
            )
            starts = [None, *(one.valid_from for one in versions[1:]), None]
            for price, (valid_from, valid_until) in zip(versions, pairwise(starts), strict=True):
                is_after = pl.lit(value=True) if valid_from is None else begin >= valid_from
                is_before = pl.lit(value=True) if valid_until is None else begin < valid_until
                yield PeriodVersion(plan.key, price, is_after & is_before)


def usage_over_periods(
    usage: pl.DataFrame,
    samples: pl.DataFrame,
    complete: pl.DataFrame,
    catalog: Catalog,
    time_zone: str,
) -> pl.DataFrame:
    """Price graduated, percentile, latest and metered usage of complete periods.

    `usage` are events or their sums by day, `samples` events; both are in periods and `usage`
    after included units. A committed percentile is owed without a single sample too.
    Shape: one row per period and price, as `summed.summed_usage`.
    """
    parts = []
    for version in period_versions(catalog):
        of_plan = complete.filter(pl.col("plan_key") == version.plan_key, version.begins_within)
        if of_plan.is_empty():
            continue
        given = usage if isinstance(version.price, CumulativePrice) else samples
        of_price = given.filter(pl.col("price_key") == version.price.key).join(
            _bounds(of_plan, version.price, time_zone), on=PERIOD, how="inner", validate="m:1"
        )
        parts.append(
            _charges(version.price, of_price, of_plan).select(
                PERIOD,
                "amount",
                "events",
                "included_units",
                "quantity",
                plan_key=pl.lit(version.plan_key),
                price_key=pl.lit(version.price.key),
                unit_price=pl.lit(_unit_price(version.price), dtype=AMOUNT),
            )
        )
    return pl.concat(
        [PRICED_USAGE.to_frame(), *(part.select(PRICED_USAGE.names()) for part in parts)]
    )


def _bounds(of_plan: pl.DataFrame, price: PeriodPrice, time_zone: str) -> pl.DataFrame:
    """Periods with what their prices ask of them: first and last instant, room for samples."""
    if isinstance(price, CumulativePrice | LatestUsage):
        return of_plan.select(PERIOD)
    starts_at = day_start(pl.col("service_from"), time_zone)
    ends_at = day_start(pl.col("service_until"), time_zone)
    minutes = price.sample_minutes if isinstance(price, PercentileUsage) else 1
    room = (ends_at - starts_at).dt.total_minutes() // minutes
    return of_plan.select(PERIOD, starts_at=starts_at, ends_at=ends_at, expected=room)


def _unit_price(price: PeriodPrice) -> Decimal | None:
    return None if isinstance(price, CumulativePrice) else price.amount


def _charges(price: PeriodPrice, of_price: pl.DataFrame, of_plan: pl.DataFrame) -> pl.DataFrame:
    if isinstance(price, CumulativePrice):
        known = of_price.group_by(PERIOD).agg(pl.col("events", "included_units").sum())
        charged = cumulative_charges(of_price, [PERIOD], price).drop("events")
        return _in_pricing_units(charged, price.pricing_unit).join(
            known, on=PERIOD, how="inner", validate="1:1"
        )
    if isinstance(price, LatestUsage):
        return latest_charges(of_price, [PERIOD], price).with_columns(included_units=NOTHING_TAKEN)
    if isinstance(price, MeteredUsage):
        metered = metered_charges(of_price, [PERIOD], price)
        return _in_pricing_units(metered, price.pricing_unit).with_columns(
            included_units=NOTHING_TAKEN
        )
    measured = percentile_charges(of_price, [PERIOD], price)
    charged = _in_pricing_units(measured, price.pricing_unit).drop("measured")
    return pl.concat([charged, _committed(price, of_plan, charged)]).with_columns(
        included_units=NOTHING_TAKEN
    )


def _committed(
    price: PercentileUsage, of_plan: pl.DataFrame, charged: pl.DataFrame
) -> pl.DataFrame:
    """The commit of periods without samples."""
    silent = of_plan.select(PERIOD).join(charged, on=PERIOD, how="anti")
    if not price.commit:
        silent = silent.clear()
    return silent.with_columns(
        quantity=pl.lit(price.commit, dtype=QUANTITY),
        amount=exact_product(pl.lit(price.commit), pl.lit(price.amount)),
        events=pl.lit(0, dtype=pl.Int64),
    ).select(charged.columns)


def _in_pricing_units(charged: pl.DataFrame, pricing_unit: Decimal) -> pl.DataFrame:
    return charged.with_columns(
        quantity=exact_product(pl.col("quantity"), over=pl.lit(pricing_unit))
    )
