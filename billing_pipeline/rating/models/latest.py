"""The count reported last in a period, at a price each.

Worked example: 10 seats on the 3rd, 14 on the 20th, 12 on the 28th: 12 x 12.90 = 154.80.
"""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.prices import LatestUsage
from billing_pipeline.rating.included import EVENT_ORDER
from billing_pipeline.rating.one_price import at_one_price


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
