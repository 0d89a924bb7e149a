"""Assets beside the bill run: provisioning, drafts of open periods, plans that would be cheaper."""

from collections.abc import Iterator
from itertools import groupby

import dagster as dg

from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration.assets.usage import rated_usage
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.partitions import (
    TENANT_BILL_DAYS,
    TenantDay,
    tenant_day_key,
    tenant_days_of,
)
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.retries import storage_faults_retried
from billing_pipeline.orchestration.steps.draft import draft_next_bills
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.provision import emit_provisioning
from billing_pipeline.orchestration.steps.swap import recommend_plans

COMPARED_MONTHS = 3
_ONE_RUN = dg.BackfillPolicy.single_run()
_LAST_DAYS = dg.MultiPartitionMapping(
    {
        "day": dg.DimensionPartitionMapping(
            dimension_name="day",
            partition_mapping=dg.TimeWindowPartitionMapping(
                start_offset=-31, allow_nonexistent_upstream_partitions=True
            ),
        ),
        "tenant": dg.DimensionPartitionMapping(
            dimension_name="tenant", partition_mapping=dg.IdentityPartitionMapping()
        ),
    }
)


@dg.asset(
    partitions_def=TENANT_BILL_DAYS,
    backfill_policy=_ONE_RUN,
    group_name="customers",
    owners=["team:billing-operations"],
    kinds={"postgres"},
)
def provisioning_events(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Outbox of what changed about subscriptions up to a local day: status, plan, quantity.

    Every change is emitted once; a change that is taken back is put right by a further event.
    """
    for tenant_key, day in _last_days(context):
        facts = read_facts(billing.installation, tenant_key)
        with storage_faults_retried():
            new = emit_provisioning(billing.installation, facts, day, utc_now())
        figures = {**shown.row_count(new.height), "events": shown.table(new)}
        context.add_asset_metadata(figures, partition_key=tenant_day_key(tenant_key, day))
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=TENANT_BILL_DAYS,
    deps=[dg.AssetDep(rated_usage, partition_mapping=_LAST_DAYS)],
    backfill_policy=_ONE_RUN,
    group_name="billing",
    owners=["team:billing-operations"],
    kinds={"polars", "postgres"},
)
def draft_bills(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """The next bill of every account as it stands on a local day, and as it is expected to be.

    Nothing is posted. Usage that reached a threshold of the tenant is announced once.
    """
    for tenant_key, day in _last_days(context):
        facts = read_facts(billing.installation, tenant_key)
        with storage_faults_retried():
            drafted = draft_next_bills(billing.installation, facts, day, utc_now())
        figures = {
            **shown.row_count(drafted.drafts.height),
            **shown.counts(new_alerts=drafted.alerts.height + drafted.draft_alerts.height),
            "drafts": shown.table(drafted.drafts),
            "alerts": shown.table(drafted.alerts),
            "further_alerts": shown.table(drafted.draft_alerts),
        }
        context.add_asset_metadata(figures, partition_key=tenant_day_key(tenant_key, day))
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=TENANT_BILL_DAYS,
    deps=[dg.AssetDep(rated_usage, partition_mapping=_LAST_DAYS)],
    backfill_policy=_ONE_RUN,
    group_name="billing",
    owners=["team:sales"],
    kinds={"polars", "postgres"},
)
def plan_recommendations(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """What every subscription would have paid on its cheapest plan over the last three months."""
    for tenant_key, day in _last_days(context):
        facts = read_facts(billing.installation, tenant_key)
        with storage_faults_retried():
            found = recommend_plans(
                billing.installation,
                facts,
                facts.accounts["account_key"],
                day,
                COMPARED_MONTHS,
                utc_now(),
            )
        saving = found.filter(found["saving"] > 0)
        figures = {
            **shown.row_count(found.height),
            **shown.counts(would_save=saving.height),
            "recommendations": shown.table(saving),
        }
        context.add_asset_metadata(figures, partition_key=tenant_day_key(tenant_key, day))
    return dg.MaterializeResult()


def _last_days(context: dg.AssetExecutionContext) -> Iterator[TenantDay]:
    """The last partition of each tenant in the run: these assets say how things stand."""
    for _, days in groupby(tenant_days_of(context.partition_keys), _tenant_key):
        *_, last = days
        yield last


def _tenant_key(partition: TenantDay) -> str:
    return partition.tenant_key
