"""Prices of a billing period: what billing asks for once it has put a period's events together.

Every function takes RATED_USAGE rows and the columns that tell periods apart (`by`), gives the
same whatever the order of rows, and rounds once per period and price.
"""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.prices import (
    CumulativePrice,
    LatestUsage,
    PackageUsage,
    PercentileUsage,
    ThresholdUsage,
    VolumeUsage,
)
from billing_pipeline.rating.exact import (
    WHOLE,
    checked_product,
    decimals,
    rounded_quotient,
    to_whole,
    wholes,
)
from billing_pipeline.rating.included import EVENT_ORDER
from billing_pipeline.rating.tiers import (
    package_amount,
    threshold_amount,
    tiered_amount,
    volume_amount,
)
from billing_pipeline.vocabulary.money import QUANTITY

_HUNDRED = 100


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


def percentile_charges(
    samples: pl.DataFrame, by: Sequence[str], price: PercentileUsage
) -> pl.DataFrame:
    """Charge burstable bandwidth: sort a period's samples, drop the top part, bill the next.

    Of n samples, floor(n x 5 %) are dropped at the 95th percentile: of 8,640 the 433rd highest
    is billed. Samples of one subscription, direction and instant are added first (several ports
    of one service). Inbound and outbound are judged separately and the greater is billed, or
    added instant by instant; at least the commit is billed. A sample that is missing is absent,
    or zero: then n is `expected`, the samples the period has room for.
    `samples` needs `by`, `direction`, `started_at`, `quantity`, and `expected` for missing zeros.
    Shape: one row per period: `by`, measured, quantity (not below the commit), amount, events.
    """
    dropped = 1 - price.percentile / _HUNDRED
    numerator, denominator = dropped.as_integer_ratio()
    series = ["direction"] if price.directions == "greater" else []
    count = pl.len().cast(pl.Int64)
    if price.missing == "zero":
        count = pl.max_horizontal(count, pl.col("expected").first())
        samples = samples.with_columns(pl.col("expected").cast(pl.Int64))
    else:
        samples = samples.with_columns(expected=pl.lit(0, dtype=pl.Int64))
    instants = samples.group_by(*by, *series, "started_at").agg(
        pl.col("quantity").sum(), pl.col("expected").first(), events=pl.len().cast(pl.Int64)
    )
    position = count * numerator // denominator
    directions = instants.group_by(*by, *series).agg(
        measured=pl.col("quantity")
        .sort(descending=True)
        .get(position, null_on_oob=True)
        .fill_null(pl.lit(0).cast(QUANTITY)),
        events=pl.col("events").sum(),
    )
    periods = directions.group_by(by).agg(pl.col("measured").max(), pl.col("events").sum())
    commit = pl.lit(price.commit * price.pricing_unit).cast(QUANTITY)
    billed = periods.with_columns(quantity=pl.max_horizontal("measured", commit))
    return (
        at_one_price(billed, price.amount, price.pricing_unit)
        .select(*by, "measured", "quantity", "amount", "events")
        .sort(by)
    )


def latest_charges(counts: pl.DataFrame, by: Sequence[str], price: LatestUsage) -> pl.DataFrame:
    """Charge the count reported last in each period.

    `counts` needs `by`, EVENT_ORDER and `quantity`.
    Shape: one row per period: `by`, quantity, amount, events.
    """
    last = (
        counts.sort(EVENT_ORDER)
        .group_by(by)
        .agg(pl.col("quantity").last(), events=pl.len().cast(pl.Int64))
    )
    return (
        at_one_price(last, price.amount, Decimal(1))
        .select(*by, "quantity", "amount", "events")
        .sort(by)
    )


def at_one_price(periods: pl.DataFrame, amount: Decimal, pricing_unit: Decimal) -> pl.DataFrame:
    """Add `amount`: the quantity of each period at one price. Shape: row by row.

    Raises: AmountOverflow.
    """
    whole = periods.select(
        quantity=wholes(pl.col("quantity")), price=pl.lit(to_whole(amount), dtype=WHOLE)
    )
    priced = rounded_quotient(
        pl.lit(checked_product(whole, "quantity", "price")),
        pl.lit(to_whole(pricing_unit), dtype=WHOLE),
    )
    return periods.with_columns(amount=decimals(priced))
