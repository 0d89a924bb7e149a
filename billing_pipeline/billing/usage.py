"""Usage charges: rated usage of complete billing periods, summed or priced as a whole."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.charge_rows import CHARGED, DESCRIPTION, charge_rows
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.included import NOTHING_TAKEN, after_included_units
from billing_pipeline.billing.over_period import usage_over_periods
from billing_pipeline.billing.pools import pools_of
from billing_pipeline.billing.summed import SUMMED_MODELS, summed_usage
from billing_pipeline.billing.usage_events import (
    MEASURED,
    PERIOD,
    events_before,
    in_periods,
    numbered,
    usage_by_day,
    usage_by_event,
)
from billing_pipeline.billing.usage_prices import fee_rules, pooled_prices, usage_prices
from billing_pipeline.vocabulary.money import exact_product, plain_text

_PRICE = ["plan_key", "price_key"]
_EVENT_MODELS = ("percentile", "latest", "metered")


def usage_charges(facts: BillingFacts, periods: pl.DataFrame, bill_day: dt.date) -> pl.DataFrame:
    """Charge the rated usage of every billing period that is complete by `bill_day`.

    An event belongs to the period of its local day. Included units are taken first, then what is
    left is priced. Shape: one CHARGED row per billing period and usage price with events; the
    account is the subscription's own, whoever pays.
    """
    prices = usage_prices(facts.catalog)
    complete = numbered(periods.filter(pl.col("arrears_on") <= bill_day))
    if complete.is_empty() or prices.is_empty():
        return CHARGED.empty()
    priced = _priced_usage(facts, complete, prices, bill_day)
    return charge_rows(_described(priced, prices, complete), "usage")


def _priced_usage(
    facts: BillingFacts, complete: pl.DataFrame, prices: pl.DataFrame, bill_day: dt.date
) -> pl.DataFrame:
    """What each complete period owes for each usage price, as PRICED_USAGE."""
    pooled = pooled_prices(facts.catalog)
    events = events_before(facts, complete, bill_day)
    by_event = pl.concat(
        [
            pooled.select(_PRICE),
            prices.filter(pl.col("model").is_in(_EVENT_MODELS)).select(_PRICE),
        ]
    ).unique(maintain_order=True)
    by_day = prices.join(by_event, on=_PRICE, how="anti")
    single = after_included_units(
        in_periods(usage_by_event(events, by_event), complete, by_event),
        pooled,
        pools_of(complete, pooled, facts.accounts),
        fee_rules(facts.catalog),
    )
    daily = in_periods(usage_by_day(events, by_day), complete, by_day).with_columns(
        included_units=NOTHING_TAKEN
    )
    measured = [PERIOD, *_PRICE, "unit_price", *MEASURED, "included_units"]
    usage = pl.concat([single.select(measured), daily.select(measured)])
    summed = prices.filter(pl.col("model").is_in(SUMMED_MODELS))
    return pl.concat(
        [
            summed_usage(usage, summed),
            usage_over_periods(usage, single, complete, facts.catalog, facts.tenant.time_zone),
        ]
    )


def _described(priced: pl.DataFrame, prices: pl.DataFrame, complete: pl.DataFrame) -> pl.DataFrame:
    """Give priced usage its period, its subscription and its product's name."""
    return (
        priced.join(complete.drop("quantity", "plan_key"), on=PERIOD, how="inner", validate="m:1")
        .join(prices, on=_PRICE, how="inner", validate="m:1")
        .with_columns(
            bill_from=pl.col("arrears_on"),
            description=pl.concat_str(DESCRIPTION, _included_text()),
            proration=pl.lit(None, dtype=pl.String),
        )
    )


def _included_text() -> pl.Expr:
    """What the plan's fee paid, in pricing units, for people; empty if nothing."""
    units = exact_product(pl.col("included_units"), over=pl.col("pricing_unit"))
    text = pl.format(" ({} {} included)", plain_text(units), "unit")
    return pl.when(pl.col("included_units") > 0).then(text).otherwise(pl.lit(""))
