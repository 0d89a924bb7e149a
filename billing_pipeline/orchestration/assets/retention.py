"""The asset of retention: how far a company's usage is masked."""

import dagster as dg

from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration.assets.usage import rated_usage
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.partitions import TENANTS
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.retention import mask, plans
from billing_pipeline.orchestration.retries import storage_faults_retried

_BY = "retention"


@dg.asset(
    partitions_def=TENANTS,
    deps=[
        dg.AssetDep(
            rated_usage, partition_mapping=dg.MultiToSingleDimensionPartitionMapping("tenant")
        )
    ],
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="mediation",
    owners=["team:usage-operations"],
    kinds={"polars", "parquet"},
)
def masked_usage(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Usage older than `retention` in tenant.yaml says, without numbers; figures stay as they are.

    It cannot be undone: days in closed months only, and none that records still wait for. The
    partition is the tenant above all others of its company. `held` says why days are not masked.
    """
    for plan in plans(billing.installation, utc_now()):
        if plan.family.root not in context.partition_keys or plan.family.before is None:
            continue
        with storage_faults_retried():
            done = mask(billing.installation, plan, utc_now(), by=_BY, note="tenant.yaml")
        figures = {
            **shown.counts(
                usage_days=done.usage_days,
                landing_days=done.landing_days,
                files_removed=done.files_removed,
                days_held=plan.usage_days["held_by"].count(),
            ),
            "plan": dg.MetadataValue.md("\n".join(f"- {line.strip()}" for line in plan.lines())),
        }
        context.add_asset_metadata(figures, partition_key=plan.family.root)
    return dg.MaterializeResult()
