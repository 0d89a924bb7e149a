"""The asset of suspense: what waits, by tenant."""

import dagster as dg
import polars as pl

from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration.assets.usage import mediated_usage, rated_usage, raw_usage
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.partitions import TENANTS
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.suspense import GROUPS, grouped
from billing_pipeline.orchestration.suspense_watch import TenantSuspense, tenant_suspense

_IDENTIFIERS_SHOWN = 25
"""Those with most records; `billing suspense list --by identifier` shows all."""


@dg.asset(
    partitions_def=TENANTS,
    deps=[
        dg.AssetDep(raw_usage, partition_mapping=dg.AllPartitionMapping()),
        dg.AssetDep(mediated_usage, partition_mapping=dg.AllPartitionMapping()),
        dg.AssetDep(
            rated_usage, partition_mapping=dg.MultiToSingleDimensionPartitionMapping("tenant")
        ),
    ],
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="mediation",
    owners=["team:usage-operations"],
    kinds={"postgres"},
)
def suspense(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Usage records that wait for somebody: by reason, with age, attempts and probable value.

    Re-running counts again and changes nothing. Red: `billing suspense list` and
    docs/suspense.md say what to do.
    """
    for tenant_key in sorted(context.partition_keys):
        found = tenant_suspense(billing.installation, tenant_key)
        context.add_asset_metadata(_metadata(found), partition_key=tenant_key)
    return dg.MaterializeResult()


def _metadata(found: TenantSuspense) -> shown.Metadata:
    waiting = found.waiting
    if waiting is None:
        return shown.row_count(0)
    age = (utc_now() - waiting.oldest_seen_at).days
    return {
        **shown.row_count(waiting.records),
        **shown.counts(
            records=waiting.records, records_without_value=waiting.unvalued, oldest_days=age
        ),
        **shown.amount("estimated_value", round(waiting.value, 2), waiting.currency),
        "by_reason": shown.table(_in_words(grouped(found.lives, "reason"))),
        "by_feed": shown.table(_in_words(grouped(found.lives, "feed"))),
        "by_identifier": shown.table(
            _in_words(
                grouped(found.lives, "identifier")
                .head(_IDENTIFIERS_SHOWN)
                .with_columns(shown.beginning(pl.col("service_identifier")))
            )
        ),
    }


def _in_words(groups: pl.DataFrame) -> pl.DataFrame:
    """What waits, how much of it and since when, then where it stopped."""
    what = next(name for name in GROUPS.values() if name in groups.columns)
    return groups.select(
        what,
        "records",
        pl.col("estimated_value").round(2),
        "currency",
        "unvalued",
        waits_since=pl.col("oldest").dt.date(),
        first_event="first_day",
        attempts="attempts",
        stopped_in="stage",
    )
