"""Usage charges: rated usage of a billing period, summed or priced as a whole."""

import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.billing.charge_rows import CHARGED, DESCRIPTION, charge_rows
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.prices import usage_prices
from billing_pipeline.vocabulary.money import AMOUNT, exact_product
from billing_pipeline.vocabulary.periods import day_starts_at, local_day

SUMMED_MODELS = ("per_unit", "rate_card", "carried")
"""Models whose events have a price each; the charge is their sum."""

_NO_MONEY = pl.lit(Decimal(0), dtype=AMOUNT)
# Each event's amount was rounded to ten decimals; so far can a sum of them be off, per event.
_LAST_DECIMAL = pl.lit(Decimal("0.0000000001"), dtype=AMOUNT)

_PRICE = ["plan_key", "price_key"]
_PERIOD = ["subscription_key", *_PRICE, "service_from"]


def usage_charges(facts: BillingFacts, periods: pl.DataFrame, bill_day: dt.date) -> pl.DataFrame:
    """Charge the rated usage of every billing period that is complete by `bill_day`.

    An event belongs to the period of its local day. Shape: one CHARGED row per billing period
    and usage price with events; the account is the subscription's own, whoever pays.
    """
    prices = usage_prices(facts.catalog)
    complete = periods.filter(pl.col("arrears_on") <= bill_day)
    if complete.is_empty() or prices.is_empty():
        return CHARGED.empty()
    summed = prices.filter(pl.col("model").is_in(SUMMED_MODELS))
    events = _events_before(facts, complete, bill_day)
    priced = _summed(_in_periods(_by_day(events, summed), complete), summed)
    return charge_rows(_described(priced, prices, complete), "usage")


def _events_before(facts: BillingFacts, complete: pl.DataFrame, bill_day: dt.date) -> pl.LazyFrame:
    """Rated usage of the subscriptions before the bill day, with its local day."""
    zone = facts.tenant.time_zone
    owners = complete.lazy().select("subscription_key").unique()
    return (
        facts.rated_usage.filter(pl.col("started_at") < day_starts_at(bill_day, zone))
        .join(owners, on="subscription_key", how="semi")
        .with_columns(local_date=local_day(pl.col("started_at"), zone))
    )


def _by_day(events: pl.LazyFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Sum events that cost the same per unit; days are what periods are made of."""
    return (
        events.join(prices.lazy().select("price_key").unique(), on="price_key", how="semi")
        .group_by("subscription_key", "price_key", "unit_price", "local_date")
        .agg(
            pl.col("billable_units", "amount").sum(),
            fees=pl.col("connection_fee").fill_null(_NO_MONEY).sum(),
            events=pl.len().cast(pl.Int64),
        )
        .collect(engine="streaming")
    )


def _in_periods(usage: pl.DataFrame, complete: pl.DataFrame) -> pl.DataFrame:
    """Give each row the complete period its local day lies in; rows of open periods wait."""
    spans = complete.select("subscription_key", "plan_key", "service_from", "service_until")
    return (
        usage.sort("local_date")
        .join_asof(
            spans.sort("service_from"),
            left_on="local_date",
            right_on="service_from",
            by="subscription_key",
            strategy="backward",
            coalesce=False,
            check_sortedness=False,
        )
        .filter(pl.col("local_date") < pl.col("service_until"))
    )


def _summed(usage: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Price each period's cumulative units once per unit price, then add the parts up.

    Multiplying the sum instead of summing roundings keeps 6 calls of one second at 0.05 a minute
    at 0.005. Event amounts that are more than units times price stand as they are.
    """
    by_price = (
        usage.join(prices.select(*_PRICE, "pricing_unit"), on=_PRICE, how="inner", validate="m:1")
        .group_by(*_PERIOD, "pricing_unit", "unit_price")
        .agg(pl.col("billable_units", "amount", "fees", "events").sum())
    )
    at_once = pl.col("fees") + exact_product(
        pl.col("billable_units"), pl.col("unit_price"), over=pl.col("pricing_unit")
    )
    is_rounding = (at_once - pl.col("amount")).abs() <= _LAST_DECIMAL * pl.col("events")
    return (
        by_price.with_columns(amount=pl.when(is_rounding).then(at_once).otherwise("amount"))
        .group_by(*_PERIOD, "pricing_unit")
        .agg(
            pl.col("billable_units", "amount", "fees", "events").sum(),
            unit_price=_only_value("unit_price"),
        )
        .select(
            *_PERIOD,
            "amount",
            "events",
            quantity=exact_product(pl.col("billable_units"), over=pl.col("pricing_unit")),
            # A unit price explains an amount only where no fee was added to it.
            unit_price=pl.when(pl.col("fees") == 0).then("unit_price"),
        )
    )


def _described(priced: pl.DataFrame, prices: pl.DataFrame, complete: pl.DataFrame) -> pl.DataFrame:
    """Give priced usage its period, its subscription and its product's name."""
    return (
        priced.join(
            complete.drop("quantity"),
            on=["subscription_key", "plan_key", "service_from"],
            how="inner",
            validate="m:1",
        )
        .join(prices, on=_PRICE, how="inner", validate="m:1")
        .with_columns(
            bill_from=pl.col("arrears_on"),
            description=DESCRIPTION,
            proration=pl.lit(None, dtype=pl.String),
        )
    )


def _only_value(column: str) -> pl.Expr:
    """The value all rows of a group share, or null where they differ."""
    return pl.when(pl.col(column).n_unique() == 1).then(pl.col(column).first())
