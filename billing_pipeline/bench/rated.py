"""What the rated usage of an installation comes to, account by account."""

from pathlib import Path

import polars as pl

from billing_pipeline.bench.contest import NotRight
from billing_pipeline.bench.tenant_folder import TENANT
from billing_pipeline.books.checks import failing_checks
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.days import EVER
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.compute import scan_rated_usage


def write_totals(installation: Installation, target: Path) -> None:
    """Write account_key, events and amount.

    Raises: NotRight if a check over the books finds anything.
    """
    with installation_scope(installation.engine) as connection:
        if failing := failing_checks(connection):
            raise NotRight(f"checks over the books fail: {sorted(failing)}")
    scan_rated_usage(installation, TENANT, *EVER).group_by("account_key").agg(
        events=pl.len().cast(pl.Int64), amount=pl.col("amount").sum()
    ).sort("account_key").collect().write_parquet(target)
