"""What a price model says about each event it is given."""

import polars as pl

from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

PRICED = pl.Schema(
    {
        "billable_units": QUANTITY,
        "unit_price": AMOUNT,
        "connection_fee": AMOUNT,
        "amount": AMOUNT,
        "cost_amount": AMOUNT,
        "rate_name": pl.String(),
        "rate_prefix": pl.String(),
        "rate_band": pl.String(),
        "rate_valid_from": pl.Date(),
        "cost_prefix": pl.String(),
        "spans": pl.String(),
        "meter_group": pl.String(),
        "meter_value": pl.String(),
        "increments": pl.String(),
        "reason": pl.String(),
        "detail": pl.String(),
    }
)
"""One row per event, in the order given; `reason` and `detail` only where it has no price."""


def completed(priced: pl.DataFrame) -> pl.DataFrame:
    """All columns of PRICED in order; those a model does not speak of are null."""
    return priced.with_columns(
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in PRICED.items()
        if name not in priced.columns
    ).select(PRICED.names())


def capped(priced: pl.DataFrame, maximum: pl.Series, rows: pl.Series) -> pl.DataFrame:
    """Amounts that are not above the maximum of their price, whichever sign they have.

    Shape: row by row. `maximum` is by price, null where there is none; `rows` are the prices.
    """
    if maximum.null_count() == maximum.len():
        return priced
    cap = pl.lit(maximum.gather(rows))
    return priced.with_columns(amount=pl.col("amount").clip(-cap, cap))
