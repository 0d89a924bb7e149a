"""The preview of a reprocess as an asset: what would change, before anything is posted."""

import datetime as dt

import dagster as dg
from pydantic import Field

from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration.partitions import TENANTS
from billing_pipeline.orchestration.reprocess import Preview, preview
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.retries import storage_faults_retried


class ReprocessedDays(dg.Config):
    """Usage days (UTC) to look at, both included."""

    first_day: str = Field(description="e.g. 2026-10-01")
    last_day: str = Field(description="e.g. 2026-10-31")


@dg.asset(
    partitions_def=TENANTS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="billing",
    owners=["team:finance"],
    kinds={"polars"},
)
def reprocess_preview(
    context: dg.AssetExecutionContext, config: ReprocessedDays, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """What reprocessing some days of a tenant would change, account by account, in money.

    Give the days as configuration. Nothing is posted. To carry it out: `billing reprocess`, which
    asks for two people; or materialise `rated_usage` for the days, and the next bill run corrects.
    """
    first, last = dt.date.fromisoformat(config.first_day), dt.date.fromisoformat(config.last_day)
    for tenant_key in context.partition_keys:
        with storage_faults_retried():
            found = preview(billing.installation, tenant_key, first, last)
        context.add_asset_metadata(_previewed(found), partition_key=tenant_key)
    return dg.MaterializeResult()


def _previewed(found: Preview) -> shown.Metadata:
    return {
        **shown.row_count(found.changes.height),
        **shown.counts(events=found.events, suspended=found.suspended),
        **shown.amount("difference", found.total, found.currency),
        "in words": dg.MetadataValue.text(found.words),
        "accounts": shown.table(found.changes),
    }
