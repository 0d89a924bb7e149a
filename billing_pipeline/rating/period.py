"""Prices of a billing period: what billing asks for once it has put a period's events together.

Every function takes RATED_USAGE rows and the columns that tell periods apart (`by`), gives the
same whatever the order of rows, and rounds once per period and price.
"""

from collections.abc import Sequence

import polars as pl

from billing_pipeline.catalog.prices import (
    CumulativePrice,
    PackageUsage,
    ThresholdUsage,
    VolumeUsage,
)
from billing_pipeline.rating.models.graduated import tiered_amount
from billing_pipeline.rating.models.package import package_amount
from billing_pipeline.rating.models.threshold import threshold_amount
from billing_pipeline.rating.models.volume import volume_amount
from billing_pipeline.vocabulary.money import QUANTITY


def cumulative_charges(
    events: pl.DataFrame, by: Sequence[str], price: CumulativePrice
) -> pl.DataFrame:
    """Charge each period's cumulative quantity: graduated, volume, threshold or package.

    `events` needs `by` and `billable_units`; after included units, what they left over.
    Shape: one row per period: `by`, quantity, amount, events. Units: quantity in measured units.
    Example: tiers to 10 at $1, to 20 at $1.25, to 50 at $1.5, above at $2: 55 GB are $77.50.
    """
    totals = events.group_by(by).agg(
        quantity=pl.col("billable_units").sum(), events=pl.len().cast(pl.Int64)
    )
    amount = cumulative_amount(totals.get_column("quantity"), price)
    return totals.with_columns(amount=amount).select(*by, "quantity", "amount", "events").sort(by)


def cumulative_amount(quantity: pl.Series, price: CumulativePrice) -> pl.Series:
    """Amount of whole periods' quantities. Shape: row by row. Units: measured units.

    Additional units are owed wherever anything was used; units past a bounded last tier may be
    free. Where they are refused they cost the last tier's price here: whether they may be billed
    is for a person to say (`billing.past_tiers`). Raises: AmountOverflow.
    """
    owed = _with_additional(quantity, price)
    if isinstance(price, PackageUsage):
        return package_amount(
            owed, size=price.size, amount=price.amount, pricing_unit=price.pricing_unit
        )
    if price.beyond == "free" and price.priced_up_to is not None:
        owed = owed.clip(upper_bound=price.priced_up_to)
    if isinstance(price, VolumeUsage):
        return volume_amount(owed, price.tiers, price.pricing_unit)
    if isinstance(price, ThresholdUsage):
        return threshold_amount(owed, price.tiers, price.pricing_unit)
    return tiered_amount(owed, price.tiers, price.pricing_unit)


def _with_additional(quantity: pl.Series, price: CumulativePrice) -> pl.Series:
    if not price.additional_units:
        return quantity
    more = pl.lit(price.additional_units * price.pricing_unit).cast(QUANTITY)
    used = pl.col("quantity")
    return (
        quantity.to_frame("quantity")
        .select(pl.when(used > 0).then(used + more).otherwise(used).cast(QUANTITY))
        .to_series()
    )
