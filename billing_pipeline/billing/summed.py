"""Usage whose events have a price each: the charge of a period is their sum."""

from decimal import Decimal

import polars as pl

from billing_pipeline.billing.prices import Columns
from billing_pipeline.billing.usage_events import MEASURED, PERIOD
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY, exact_product

SUMMED_MODELS = (
    "per_unit",
    "rate_card",
    "cost_plus",
    "time_of_day",
    "carried",
    "percentage",
    "zone_matrix",
    "per_event_steps",
    "plugin",
)
"""Models of which an event has a price."""

_PRICED_USAGE: Columns = {
    PERIOD: pl.UInt32,
    "plan_key": pl.String,
    "price_key": pl.String,
    "amount": AMOUNT,
    "events": pl.Int64,
    "included_units": QUANTITY,
    "quantity": QUANTITY,
    "unit_price": AMOUNT,
}
PRICED_USAGE = pl.Schema(_PRICED_USAGE)
"""One row per complete period and usage price: what it comes to."""

_PRICE = ["plan_key", "price_key"]
# Each event's amount was rounded to ten decimals; so far can a sum of them be off, per event.
_LAST_DECIMAL = pl.lit(Decimal("0.0000000001"), dtype=AMOUNT)


def summed_usage(usage: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Price each period's cumulative units once per unit price, then add the parts up.

    Multiplying the sum instead of summing roundings keeps 6 calls of one second at 0.05 a minute
    at 0.005. Event amounts that are more than units times price stand as they are.
    Shape: one row per period and price, PRICED_USAGE. Units: `quantity` in pricing units,
    `included_units` in measured units.
    """
    by_price = (
        usage.group_by(PERIOD, *_PRICE, "unit_price")
        .agg(pl.col(*MEASURED, "included_units").sum())
        .join(prices.select(*_PRICE, "pricing_unit"), on=_PRICE, how="inner", validate="m:1")
    )
    at_once = pl.col("fees") + exact_product(
        pl.col("billable_units"), pl.col("unit_price"), over=pl.col("pricing_unit")
    )
    is_rounding = (at_once - pl.col("amount")).abs() <= _LAST_DECIMAL * pl.col("events")
    return (
        by_price.with_columns(amount=pl.when(is_rounding).then(at_once).otherwise("amount"))
        .group_by(PERIOD, *_PRICE, "pricing_unit")
        .agg(
            pl.col(*MEASURED, "included_units").sum(),
            unit_price=pl.when(pl.col("unit_price").n_unique() == 1).then(
                pl.col("unit_price").first()
            ),
        )
        .select(
            PERIOD,
            *_PRICE,
            "amount",
            "events",
            "included_units",
            quantity=exact_product(pl.col("billable_units"), over=pl.col("pricing_unit")),
            # A unit price explains an amount only where no fee was added to it.
            unit_price=pl.when(pl.col("fees") == 0).then("unit_price"),
        )
        .select(PRICED_USAGE.names())
    )
