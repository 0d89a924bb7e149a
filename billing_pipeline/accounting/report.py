"""The figures of one tenant's month for people: frames, in the order they are printed."""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from billing_pipeline.accounting.schema import MARGINS, USAGE_TREND
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.prices import CostPlusUsage, RateCardUsage
from billing_pipeline.vocabulary.periods import local_day


@dataclass(frozen=True)
class FinancialReport:
    """One tenant's month, with everyone below it. Amounts in minor units, margins exact.

    `revenue` has member_key, month, product_key, currency, revenue_minor of the last twelve
    months; `categories` category, category_name, currency, revenue_minor; `balances` role,
    currency, movement_minor, balance_minor; `taxes` tax_code, tax_rate, currency, documents,
    base_minor, tax_minor; `aged` account_key, name, currency and a column per age; `bill_runs` a
    row per bill day; `movers` account_key, name, currency, net_minor, previous_net_minor,
    change_minor; `margins` MARGINS; `usage` USAGE_TREND.
    """

    month: dt.date
    revenue: pl.DataFrame
    categories: pl.DataFrame
    balances: pl.DataFrame
    taxes: pl.DataFrame
    aged: pl.DataFrame
    bill_runs: pl.DataFrame
    movers: pl.DataFrame
    margins: pl.DataFrame
    usage: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        """Every frame by its name."""
        return {
            name: frame for name, frame in vars(self).items() if isinstance(frame, pl.DataFrame)
        }


def margins(rated_usage: pl.LazyFrame, catalog: Catalog) -> pl.DataFrame:
    """Revenue, cost and margin by product, supplier and destination: MARGINS, worst first.

    Only usage whose cost is known; a supplier is the deck its cost came from.
    """
    decks = pl.LazyFrame(
        [
            (price.key, price.cost_deck)
            for plan in catalog.plans
            for price in plan.prices
            if isinstance(price, RateCardUsage | CostPlusUsage)
        ],
        schema={"price_key": pl.String, "supplier": pl.String},
        orient="row",
    ).unique("price_key")
    summed = (
        rated_usage.filter(pl.col("cost_amount").is_not_null())
        .join(decks, on="price_key", how="left", validate="m:1")
        .group_by("product_key", "supplier", "rate_name", "currency")
        .agg(
            events=pl.len().cast(pl.Int64),
            revenue=pl.col("amount").sum(),
            cost=pl.col("cost_amount").sum(),
        )
        .with_columns(margin=pl.col("revenue") - pl.col("cost"))
        .collect(engine="streaming")
    )
    return MARGINS.conform(
        summed.sort("margin", "product_key", "rate_name", "supplier", nulls_last=True)
    )


def usage_trend(rated_usage: pl.LazyFrame, time_zone: str) -> pl.DataFrame:
    """Rated events by product and local day: USAGE_TREND."""
    by_day = (
        rated_usage.group_by("product_key", local_date=local_day(pl.col("started_at"), time_zone))
        .agg(events=pl.len().cast(pl.Int64), units=pl.col("billable_units").sum())
        .collect(engine="streaming")
    )
    return USAGE_TREND.conform(by_day.sort("local_date", "product_key"))
