"""What the usage of each feed came to lately: the measure of what waits in suspense."""

import datetime as dt

import polars as pl

from billing_pipeline.books import files, manifest
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.days import EVER
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.rating.schema import RATED_USAGE

RECENT = dt.timedelta(days=31)
"""So many days of usage, up to the last one rated, are the measure."""

_KEYS = ["tenant_key", "feed_key", "usage_type", "currency"]


def rated_sums(installation: Installation, tenants: list[str]) -> pl.DataFrame:
    """Sums of recent rated usage by tenant, feed, usage type and currency.

    Columns: tenant_key, feed_key, usage_type, currency, events, quantity, amount.
    """
    with installation_scope(installation.engine) as connection:
        feeds = files.read_files(connection, "loaded", "superseded")
    feed_of = feeds.drop_nulls("file_key").unique("file_key").select("file_key", "feed_key")
    sums = [
        _by_file(installation, tenant_key).join(feed_of, on="file_key", how="inner", validate="m:1")
        for tenant_key in tenants
    ]
    every = pl.concat(sums) if sums else _by_file(installation, "").with_columns(feed_key=None)
    return (
        every.with_columns(pl.col("feed_key").cast(pl.String))
        .group_by(_KEYS)
        .agg(pl.col("events", "quantity", "amount").sum())
        .sort(_KEYS)
    )


def _by_file(installation: Installation, tenant_key: str) -> pl.DataFrame:
    with installation_scope(installation.engine) as connection:
        paths = manifest.partition_paths(connection, layout.RATED_USAGE, tenant_key, *EVER)
    if paths.height:
        last = paths["partition_day"].max()
        paths = paths.filter(pl.col("partition_day") > pl.lit(last) - RECENT)
    return (
        installation.lake.scan(paths["path"].to_list(), RATED_USAGE)
        .group_by("file_key", "usage_type", "currency")
        .agg(
            events=pl.len().cast(pl.Int64),
            quantity=pl.col("quantity").sum(),
            amount=pl.col("amount").sum(),
        )
        .with_columns(tenant_key=pl.lit(tenant_key))
        .collect()
    )
