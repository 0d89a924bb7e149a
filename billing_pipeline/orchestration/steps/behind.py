"""Rated usage behind invoice lines, fetched for the span the lines serve."""

import datetime as dt

import polars as pl

from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.invoicing.usage import usage_behind
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.compute import scan_rated_usage
from billing_pipeline.rating.schema import RATED_USAGE


def fetch_usage_behind(
    installation: Installation, tenant: Tenant, lines: pl.DataFrame
) -> pl.DataFrame:
    """RATED_USAGE of the lines' usage charges, with the line each event stands on."""
    usage = lines.filter(pl.col("charge_kind") == "usage")
    if usage.is_empty():
        return usage_behind(lines, RATED_USAGE.empty().lazy(), tenant.time_zone)
    first = dt.date.fromisoformat(str(usage["service_from"].min())) - ONE_DAY
    last = dt.date.fromisoformat(str(usage["service_until"].max())) + ONE_DAY
    rated = scan_rated_usage(installation, tenant.key, first, last)
    return usage_behind(lines, rated, tenant.time_zone)
