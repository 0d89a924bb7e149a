"""Early termination: what is owed when a subscription ends before its contract term.

Worked example: $30.00 a month agreed for twelve months, left after three: nine months of 30.00 are
270.00, of which 50 % are $135.00.
"""

import datetime as dt

import polars as pl

from billing_pipeline.billing.charge_rows import CHARGED, DESCRIPTION, NO_EVENTS, charge_rows
from billing_pipeline.billing.cycles import billed_periods
from billing_pipeline.billing.recurring import recurring_charges
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY, exact_product

_PER_CENT = pl.lit(100)


def termination_charges(
    spans: pl.DataFrame,
    terms: pl.DataFrame,
    fees: pl.DataFrame,
    agreed: pl.DataFrame,
    bill_day: dt.date,
) -> pl.DataFrame:
    """Charge subscriptions that ended before the term of their last plan was over.

    The term counts from the subscription's start. The charge is for the rest of the term and is
    billed on the day the subscription ended; a subscription that goes on after all has none.

    Shape: one CHARGED row per early end. `spans` are all spans of the subscriptions, `terms`
    CONTRACT_TERMS, `fees` FEES, `agreed` AGREED_PRICES.
    """
    early = (
        spans.filter(
            pl.col("span_until") == pl.col("ended_on"),
            pl.col("ended_on") <= bill_day,
            pl.col("ended_on") >= pl.col("scope_from"),
        )
        .join(terms, on="plan_key", how="inner", validate="m:1")
        .with_columns(
            term_until=pl.col("started_on").dt.offset_by(pl.format("{}mo", pl.col("term_months")))
        )
        .filter(pl.col("ended_on") < pl.col("term_until"))
    )
    if early.is_empty():
        return CHARGED.empty()
    owed = early.join(
        _remaining_fees(early, fees, agreed), on="subscription_key", how="left", validate="1:1"
    ).with_columns(
        pl.coalesce(
            "fee",
            exact_product(pl.col("remaining"), pl.col("percent_of_remaining"), over=_PER_CENT),
            # A plan without recurring fees leaves nothing to take a percentage of.
            pl.lit(0).cast(AMOUNT),
        ).alias("amount")
    )
    return charge_rows(_described(owed), "termination")


def _remaining_fees(early: pl.DataFrame, fees: pl.DataFrame, agreed: pl.DataFrame) -> pl.DataFrame:
    """Recurring fees of the rest of the term, as if the subscription had gone on."""
    last_day = early.get_column("term_until").max()
    through = last_day if isinstance(last_day, dt.date) else dt.date.max
    terms = ["price_key", "product_key", "product_name", "tax_category"]
    rest = early.drop(*terms, "fee").with_columns(
        span_from=pl.col("ended_on"),
        span_until=pl.col("term_until"),
        ended_on=pl.col("term_until"),
        scope_from=pl.col("ended_on"),
    )
    # What is not prorated is owed for periods that would have begun, not for a cut one.
    return (
        recurring_charges(billed_periods(rest, through), fees, agreed, through)
        .group_by("subscription_key")
        .agg(remaining=pl.col("amount").sum())
    )


def _described(owed: pl.DataFrame) -> pl.DataFrame:
    return owed.with_columns(
        service_from=pl.col("ended_on"),
        service_until=pl.col("term_until"),
        bill_from=pl.col("ended_on"),
        period_number=pl.lit(0, dtype=pl.Int32),
        quantity=pl.lit(1).cast(QUANTITY),
        unit=pl.lit("piece"),
        unit_price=pl.col("amount"),
        description=DESCRIPTION,
        proration=pl.lit(None, dtype=pl.String),
        events=NO_EVENTS,
    )
