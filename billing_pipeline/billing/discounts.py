"""Discounts: a percentage off charges of subscriptions that agreed to one."""

import polars as pl

from billing_pipeline.billing.charge_rows import NO_EVENTS, charge_rows
from billing_pipeline.vocabulary.money import QUANTITY, exact_product

PER_CENT = pl.lit(100)


def discount_charges(charged: pl.DataFrame, discounts: pl.DataFrame) -> pl.DataFrame:
    """Charge a negative amount for every charge that a discount reduces.

    Each discount row stands beside the charge it reduces: same service, same bill day, same tax
    category; its key names both. Percentages are at most 100 and only reduce positive charges,
    so a charge with its discount is never below zero.

    Shape: one CHARGED row per reduced charge. `charged` is CHARGED, `discounts` DISCOUNTS.
    """
    is_in_scope = (pl.col("products").list.len() == 0) | pl.col("products").list.contains(
        pl.col("product_key")
    )
    is_in_time = pl.col("periods").is_null() | (pl.col("period_number") < pl.col("periods"))
    reduced = charged.join(discounts, on="discount_key", how="inner", validate="m:1").filter(
        is_in_scope, is_in_time, pl.col("amount") > 0
    )
    amount = -exact_product(pl.col("amount"), pl.col("percent_off"), over=PER_CENT)
    rows = reduced.with_columns(
        product_key=pl.col("discount_product"),
        price_key=pl.col("discount_key"),
        key_part=pl.concat_str("discount_key", "price_key", separator=":"),
        description=pl.concat_str("discount_name", "description", separator=": "),
        quantity=pl.lit(1).cast(QUANTITY),
        unit=pl.lit("piece"),
        unit_price=amount,
        amount=amount,
        events=NO_EVENTS,
    )
    return charge_rows(rows, "discount", key_part="key_part")
