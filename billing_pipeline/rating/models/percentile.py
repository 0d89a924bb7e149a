"""Burstable bandwidth: the 95th percentile of a period's samples, with a commit.

Worked example: 8,640 five-minute samples of a month of 30 days: floor(8,640 x 5 %) = 432 are
dropped and the 433rd highest is billed. At 120 Mbit/s and 1.50 each that is 180.00; under a commit
of 100 a percentile of 30 costs 150.00. Of 8,600 samples, 40 being absent, 430 are dropped; where
they count as zeros 432.
"""

from collections.abc import Sequence

import polars as pl

from billing_pipeline.catalog.prices import PercentileUsage
from billing_pipeline.rating.one_price import at_one_price
from billing_pipeline.vocabulary.money import QUANTITY

_HUNDRED = 100


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
