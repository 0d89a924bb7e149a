"""Caps of a billing period: what usage costs beyond them, after discounts, is taken back."""

import polars as pl

from billing_pipeline.billing.charge_rows import CHARGED, NO_EVENTS, charge_rows
from billing_pipeline.vocabulary.money import QUANTITY

_USED = ["subscription_key", "service_from", "price_key"]


def maximum_charges(charged: pl.DataFrame, maximums: pl.DataFrame) -> pl.DataFrame:
    """Take back what each usage charge, less its discounts, is above its price's maximum.

    `charged` is CHARGED: usage and the discounts on everything; `maximums` as
    `usage_prices.period_maximums` returns them.
    Example: usage 120, 10 % off, at most 100: 120 - 12 - 100 = 8 is taken back.
    Shape: one CHARGED row per usage charge above its maximum.
    """
    usage = charged.filter(pl.col("charge_kind") == "usage").join(
        maximums, on=_USED, how="inner", validate="1:1"
    )
    if usage.is_empty():
        return CHARGED.empty()
    reduced = (
        charged.filter((pl.col("charge_kind") == "discount") & (pl.col("counts_as") == "usage"))
        # A discount's key names the price it reduces behind its own: discount:price.
        .with_columns(price_key=pl.col("charge_key").str.extract(r":([^/:]*)/"))
        .group_by(_USED)
        .agg(off=pl.col("amount").sum())
    )
    owed = usage.join(reduced, on=_USED, how="left", validate="1:1").with_columns(
        over=pl.col("amount") + pl.col("off").fill_null(0) - pl.col("period_maximum")
    )
    amount = -pl.col("over")
    rows = owed.filter(pl.col("over") > 0).with_columns(
        key_part=pl.concat_str(pl.lit("maximum:"), "price_key"),
        description=pl.concat_str(pl.lit("Maximum: "), "description"),
        quantity=pl.lit(1).cast(QUANTITY),
        unit=pl.lit("piece"),
        unit_price=amount,
        amount=amount,
        events=NO_EVENTS,
    )
    return charge_rows(rows, "discount", key_part="key_part", counts_as=pl.lit("usage"))
