"""Minimum fees: a floor under the usage charges of a subscription's billing period.

Worked example: a floor of $31.00 a month from 16 January is 31 x 16/31 = $16.00; of usage of $10.00
$6.00 are missing and charged.
"""

import datetime as dt

import polars as pl

from billing_pipeline.billing.charge_rows import DESCRIPTION, NO_EVENTS, charge_rows
from billing_pipeline.billing.prorated import ANYTHING_CHARGED, prorated_by_rule
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY, exact_product

_PERIOD = ["subscription_key", "service_from"]


def minimum_charges(
    periods: pl.DataFrame, usage: pl.DataFrame, minimums: pl.DataFrame, bill_day: dt.date
) -> pl.DataFrame:
    """Top usage up to the plan's minimum fee, once the billing period is complete.

    Days of a trial do not count; a short period owes the part of the floor its rule says. What
    counts towards the floor is usage after its discounts.

    Shape: one CHARGED row per complete period below its floor. `usage` is CHARGED: the usage
    charges of the periods and the discounts on them; `minimums` is MINIMUM_FEES.
    """
    used = usage.group_by(_PERIOD).agg(used=pl.col("amount").sum())
    floors = (
        periods.filter(pl.col("arrears_on") <= bill_day)
        .join(minimums, on="plan_key", how="inner", validate="m:1")
        # Periods without usage have used nothing.
        .join(used, on=_PERIOD, how="left", validate="1:1")
        .with_columns(
            pl.col("used").fill_null(0).cast(AMOUNT),
            service_from=pl.max_horizontal("service_from", "charged_from"),
        )
        .filter(
            pl.col("service_from") < pl.col("service_until"),
            ANYTHING_CHARGED,
        )
    )
    short = (
        prorated_by_rule(floors)
        .with_columns(
            amount=exact_product(pl.col("floor"), pl.col("owed"), over=pl.col("whole"))
            - pl.col("used")
        )
        .filter(pl.col("amount") > 0)
        .with_columns(
            bill_from=pl.col("arrears_on"),
            quantity=pl.lit(1).cast(QUANTITY),
            unit=pl.lit("piece"),
            unit_price=pl.col("amount"),
            description=DESCRIPTION,
            events=NO_EVENTS,
        )
    )
    return charge_rows(short, "minimum")
