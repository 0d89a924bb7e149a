"""Recurring charges: a fee per billing period and unit of subscription quantity.

Worked example: three seats at $30.00 a month from 21 April: 3 x 30 x 10/30 = $30.00 for April. With
an introductory $5.00 for one period they owe 3 x 5 x 10/30 = $5.00.
"""

import datetime as dt

import polars as pl

from billing_pipeline.billing.agreed_prices import with_agreed_prices
from billing_pipeline.billing.charge_rows import DESCRIPTION, NO_EVENTS, billed_by, charge_rows
from billing_pipeline.billing.prorated import ANYTHING_CHARGED, prorated_by_rule
from billing_pipeline.vocabulary.money import exact_product
from billing_pipeline.vocabulary.periods import plus_days


def recurring_charges(
    periods: pl.DataFrame, fees: pl.DataFrame, agreed: pl.DataFrame, bill_day: dt.date
) -> pl.DataFrame:
    """Charge flat prices for every billing period that is due by `bill_day`.

    `periods` go on to the day each subscription ends on; only prices that charge that day do.
    A trial takes days off the service, never off the period it is divided by. Where a price
    changes inside a period each price is owed for its own days. An introductory amount is owed
    for the first periods that are charged.

    Shape: one CHARGED row per billed period and price in force. `fees` is FEES, `agreed`
    AGREED_PRICES.
    """
    charged_until = pl.when(pl.col("cancel_day") == "exclusive").then("ended_on")
    served = (
        with_agreed_prices(_introduced(periods.join(fees, on="plan_key", how="inner")), agreed)
        .with_columns(
            bill_from=pl.when(pl.col("timing") == "advance")
            .then("advance_on")
            .otherwise("arrears_on"),
            service_from=pl.max_horizontal("service_from", "charged_from", "valid_from"),
            service_until=pl.min_horizontal("service_until", "valid_until", charged_until),
        )
        .filter(
            pl.col("service_from") < pl.col("service_until"), billed_by(bill_day), ANYTHING_CHARGED
        )
    )
    priced = prorated_by_rule(served).with_columns(
        unit_price=pl.col("price_amount"),
        amount=exact_product(
            pl.col("price_amount"), pl.col("quantity"), pl.col("owed"), over=pl.col("whole")
        ),
        description=DESCRIPTION,
        events=NO_EVENTS,
    )
    return charge_rows(priced, "recurring")


def _introduced(priced: pl.DataFrame) -> pl.DataFrame:
    """Take the introductory amount in the first periods that are charged."""
    is_first = pl.col("period_number") < pl.col("introductory_periods")
    amount = pl.when(is_first).then("introductory_amount").otherwise("price_amount")
    return priced.with_columns(price_amount=amount)


def with_last_day(spans: pl.DataFrame) -> pl.DataFrame:
    """Spans that go on to the day their subscription ends on, for prices that charge it."""
    is_last = pl.col("span_until") == pl.col("ended_on")
    day_after = plus_days(pl.col("span_until"), pl.lit(1))
    return spans.with_columns(span_until=pl.when(is_last).then(day_after).otherwise("span_until"))
