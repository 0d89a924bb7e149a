"""One-time charges: a fee on the first day of a subscription.

Worked example: three pieces at $49.00 are $147.00 on the day of the order, and nothing after.
"""

import datetime as dt

import polars as pl

from billing_pipeline.billing.charge_rows import DESCRIPTION, NO_EVENTS, billed_by, charge_rows
from billing_pipeline.billing.spans import STEP
from billing_pipeline.vocabulary.money import exact_product
from billing_pipeline.vocabulary.periods import period_index, plus_days


def one_time_charges(spans: pl.DataFrame, fees: pl.DataFrame, bill_day: dt.date) -> pl.DataFrame:
    """Charge the one-time prices in force on the day a subscription started.

    The fee is per unit of subscription quantity; a trial does not put it off.
    Shape: one CHARGES row per subscription and price. `fees` is FEES.
    """
    first_day = pl.col("started_on")
    charged = (
        spans.filter(pl.col("span_from") == first_day, first_day >= pl.col("scope_from"))
        .join(fees, on="plan_key", how="inner")
        .filter(
            first_day >= pl.col("valid_from"),
            pl.col("valid_until").is_null() | (first_day < pl.col("valid_until")),
        )
        .with_columns(
            service_from=first_day,
            service_until=plus_days(first_day, pl.lit(1)),
            bill_from=first_day,
            unit_price=pl.col("price_amount"),
            amount=exact_product(pl.col("price_amount"), pl.col("quantity")),
            description=DESCRIPTION,
            proration=pl.lit(None, dtype=pl.String),
            events=NO_EVENTS,
            period_number=period_index(pl.col("anchor_on"), first_day, STEP)
            - period_index(pl.col("anchor_on"), pl.col("charged_from"), STEP),
        )
    )
    return charge_rows(charged.filter(billed_by(bill_day)), "one_time")
