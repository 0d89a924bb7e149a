"""Usage that nobody made, for previews: calls spread over February 2026, always the same."""

import datetime as dt

import polars as pl

from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

_FROM = dt.datetime(2026, 2, 2, 8, tzinfo=dt.UTC)
_SPAN_MINUTES = 26 * 24 * 60
_PLACES = pl.DataFrame(
    {
        "place": [0, 1, 2, 3],
        "destination": ["442079460000", "447700900123", "33142685300", "48221234567"],
        "rate_name": ["United Kingdom", "United Kingdom mobile", "France", "Poland"],
        "price": ["0.0150", "0.0895", "0.0120", "0.0210"],
    }
)


def sample_usage(tenant: Tenant, events: int) -> pl.DataFrame:
    """`events` calls as RATED_USAGE, in order of time."""
    if events == 0:
        return RATED_USAGE.empty()
    number = pl.col("number")
    made = (
        pl.DataFrame({"number": pl.int_range(events, eager=True)})
        .with_columns(place=number * 7 % 11 % 4, seconds=30 + number * 97 % 1800)
        .join(_PLACES, on="place", how="left", validate="m:1", maintain_order="left")
        .with_columns(
            minutes=pl.col("seconds").cast(AMOUNT) * pl.lit("0.0166666667").cast(AMOUNT),
            unit_price=pl.col("price").cast(AMOUNT),
        )
    )
    known = made.select(
        account_key=pl.lit("10042-2"),
        subscription_key=pl.lit("S-1"),
        product_key=pl.lit("calls"),
        price_key=pl.lit("calls"),
        file_key=pl.lit("0" * 32),
        record_number=number + 1,
        usage_type=pl.lit("voice"),
        started_at=pl.lit(_FROM) + pl.duration(seconds=number * (_SPAN_MINUTES * 60 // events)),
        origin=pl.lit("4940555010"),
        destination=pl.col("destination"),
        quantity=pl.col("seconds").cast(QUANTITY),
        billable_units=pl.col("seconds").cast(QUANTITY),
        unit_price=pl.col("unit_price"),
        amount=(pl.col("minutes") * pl.col("unit_price")).cast(AMOUNT),
        currency=pl.lit(tenant.currency),
        rate_name=pl.col("rate_name"),
    )
    return pl.concat([RATED_USAGE.empty(), known], how="diagonal_relaxed").select(
        pl.col(name).cast(kind) for name, kind in RATED_USAGE.polars_schema.items()
    )
