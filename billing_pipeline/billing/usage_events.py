"""Rated usage put into billing periods: by day where sums do, event by event where not."""

import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.rating.included import EVENT_ORDER
from billing_pipeline.vocabulary.money import AMOUNT
from billing_pipeline.vocabulary.periods import day_starts_at, local_day

NO_MONEY = pl.lit(Decimal(0), dtype=AMOUNT)

PERIOD = "period"
"""Number of a row of complete periods: shorter than its subscription and day, so joins are."""

OWNER = "owner"
"""Number of a subscription, for the same reason."""

MEASURED = ["billable_units", "amount", "fees", "events"]
"""What adds up over the events of a period that cost the same per unit."""


def numbered(complete: pl.DataFrame) -> pl.DataFrame:
    """Number complete periods and their subscriptions."""
    owners = complete.select("subscription_key").unique(maintain_order=True).with_row_index(OWNER)
    return complete.with_row_index(PERIOD).join(
        owners, on="subscription_key", how="left", validate="m:1"
    )


def events_before(facts: BillingFacts, complete: pl.DataFrame, bill_day: dt.date) -> pl.LazyFrame:
    """Rated usage of the numbered subscriptions before the bill day, with its `local_date`."""
    zone = facts.tenant.time_zone
    owners = complete.lazy().select("subscription_key", OWNER).unique()
    return (
        facts.rated_usage.filter(pl.col("started_at") < day_starts_at(bill_day, zone))
        .join(owners, on="subscription_key", how="inner", validate="m:1")
        .with_columns(
            local_date=local_day(pl.col("started_at"), zone),
            fees=pl.col("connection_fee").fill_null(NO_MONEY),
        )
    )


def usage_by_day(events: pl.LazyFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Add up events that cost the same per unit; days are what periods are made of.

    Shape: one row per subscription, price, unit price and local day, with MEASURED.
    """
    return (
        _of_prices(events, prices)
        .group_by(OWNER, "price_key", "unit_price", "local_date")
        .agg(pl.col("billable_units", "amount", "fees").sum(), events=pl.len().cast(pl.Int64))
        .collect(engine="streaming")
    )


def usage_by_event(events: pl.LazyFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """The events themselves, for prices that depend on their order or on each of them."""
    return (
        _of_prices(events, prices)
        .select(
            OWNER,
            "price_key",
            "unit_price",
            "connection_fee",
            "local_date",
            "direction",
            "quantity",
            *EVENT_ORDER,
            "billable_units",
            "amount",
            "fees",
            "meter_group",
            "meter_value",
            events=pl.lit(1, dtype=pl.Int64),
        )
        .collect(engine="streaming")
    )


def in_periods(usage: pl.DataFrame, complete: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Give each row the complete period its local day lies in; rows of open periods wait.

    Shape: the rows whose period is complete and whose price its plan has, with `period` and
    `plan_key`.
    """
    spans = complete.select(PERIOD, OWNER, "plan_key", "service_from", "service_until")
    return (
        usage.sort("local_date")
        .join_asof(
            spans.sort("service_from"),
            left_on="local_date",
            right_on="service_from",
            by=OWNER,
            strategy="backward",
            coalesce=False,
            # Both sides were sorted a line ago; Polars cannot see it inside groups.
            check_sortedness=False,
        )
        .filter(pl.col("local_date") < pl.col("service_until"))
        .drop(OWNER, "service_until")
        .join(prices, on=["plan_key", "price_key"], how="semi")
    )


def _of_prices(events: pl.LazyFrame, prices: pl.DataFrame) -> pl.LazyFrame:
    return events.join(prices.lazy().select("price_key").unique(), on="price_key", how="semi")
