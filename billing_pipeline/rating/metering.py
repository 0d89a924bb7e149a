"""Aggregates of metered products over a billing period."""

from collections.abc import Sequence

import polars as pl

from billing_pipeline.catalog.prices import MeteredUsage
from billing_pipeline.rating.included import EVENT_ORDER
from billing_pipeline.rating.models.graduated import tiered_amount
from billing_pipeline.rating.one_price import at_one_price
from billing_pipeline.vocabulary.money import QUANTITY, exact_product

_HUNDRED = 100
_NOTHING = pl.lit(0).cast(QUANTITY)


def metered_charges(events: pl.DataFrame, by: Sequence[str], price: MeteredUsage) -> pl.DataFrame:
    """Charge the aggregate of each period's events, group by group, the groups added up.

    `events` needs `by`, EVENT_ORDER, `quantity`, `meter_group`, `meter_value`; for
    `time_weighted` also the instants `starts_at` and `ends_at` of the period.
    Example: highest load of two regions 7 and 5 kW at 3.00 is 12 kW, 36.00.
    Shape: one row per period: `by`, quantity (measured units), amount, events.
    """
    grouped = [*by, "meter_group"]
    counted = {"events": pl.len().cast(pl.Int64)}
    ordered = events.sort(*by, *EVENT_ORDER)
    if price.aggregate == "time_weighted":
        groups = (
            _weighted(ordered, grouped).group_by(grouped).agg(pl.col("quantity").sum(), **counted)
        )
    else:
        groups = ordered.group_by(grouped).agg(quantity=_aggregate(price), **counted)
    totals = groups.group_by(by).agg(pl.col("quantity").sum(), pl.col("events").sum()).sort(by)
    if price.amount is not None:
        priced = at_one_price(totals, price.amount, price.pricing_unit)
    else:
        amount = tiered_amount(totals.get_column("quantity"), price.tiers, price.pricing_unit)
        priced = totals.with_columns(amount=amount)
    return priced.select(*by, "quantity", "amount", "events")


def _aggregate(price: MeteredUsage) -> pl.Expr:
    """Of events in order, without those that share an instant where that matters."""
    quantity = pl.col("quantity")
    dropped = 1 - price.percentile / _HUNDRED
    numerator, denominator = dropped.as_integer_ratio()
    position = pl.len().cast(pl.Int64) * numerator // denominator
    aggregates = {
        "sum": quantity.sum(),
        "count": pl.len().cast(QUANTITY),
        "max": quantity.max(),
        "latest": quantity.last(),
        "unique": pl.col("meter_value").n_unique().cast(QUANTITY),
        "percentile": quantity.sort(descending=True).get(position),
    }
    return aggregates[price.aggregate]


def _weighted(ordered: pl.DataFrame, grouped: Sequence[str]) -> pl.DataFrame:
    """Each value times the share of the period it stood for: until the next of its group."""
    until = pl.col("started_at").shift(-1).over(grouped).fill_null(pl.col("ends_at"))
    stood = (until - pl.col("started_at")).dt.total_microseconds().clip(lower_bound=0)
    whole = (pl.col("ends_at") - pl.col("starts_at")).dt.total_microseconds()
    return ordered.with_columns(quantity=exact_product(pl.col("quantity"), stood, over=whole))
