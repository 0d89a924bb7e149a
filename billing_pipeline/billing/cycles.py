"""Billing periods of subscriptions, and the local days they are billed on."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.spans import STEP
from billing_pipeline.vocabulary.periods import boundary, period_index, plus_days


def billed_periods(spans: pl.DataFrame, through: dt.date) -> pl.DataFrame:
    """Every billing period in scope that has begun by `through`, cut to the span it belongs to.

    Shape: one row per span and billing period. Adds `period_from`, `period_until` (the whole
    period), `service_from`, `service_until` (its part inside the span), `advance_on` (the first
    day it may be billed in advance: never before the subscription is charged), `arrears_on`
    (the day it is complete: its end or the subscription's) and `period_number` (from 0, the
    first period that is charged).
    """
    anchor = pl.col("anchor_on")
    last_day = pl.min_horizontal(pl.lit(through), plus_days(pl.col("span_until"), pl.lit(-1)))
    first_day = pl.max_horizontal("span_from", "scope_from")
    numbered = spans.filter(
        pl.col("span_from") <= through,
        pl.col("span_until").is_null() | (pl.col("scope_from") < pl.col("span_until")),
    ).with_columns(
        first_index=period_index(anchor, first_day, STEP),
        last_index=period_index(anchor, last_day, STEP),
        charged_index=period_index(anchor, pl.col("charged_from"), STEP),
    )
    periods = numbered.with_columns(
        index=pl.int_ranges("first_index", pl.col("last_index") + 1, dtype=pl.Int32)
    ).explode("index")
    return (
        periods.with_columns(
            period_from=boundary(anchor, pl.col("index"), STEP),
            period_until=boundary(anchor, pl.col("index") + 1, STEP),
            period_number=pl.col("index") - pl.col("charged_index"),
        )
        .with_columns(
            service_from=pl.max_horizontal("period_from", "span_from"),
            service_until=pl.min_horizontal("period_until", "span_until"),
            advance_on=pl.max_horizontal("period_from", "charged_from"),
            arrears_on=pl.min_horizontal("period_until", "ended_on"),
        )
        .drop("first_index", "last_index", "charged_index", "index")
    )
