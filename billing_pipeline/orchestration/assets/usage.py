"""Assets of usage: raw by landing day, mediated by usage day, rated by tenant and day."""

import dagster as dg

from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.partitions import (
    LANDING_DAYS,
    TENANT_USAGE_DAYS,
    USAGE_DAYS,
    days_of,
    tenant_day_key,
    tenant_days_of,
)
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.retries import storage_faults_retried
from billing_pipeline.orchestration.steps.load import LoadedDay, Loader
from billing_pipeline.orchestration.steps.mediate import MediatedDay, mediate_day
from billing_pipeline.orchestration.steps.rate import RatedDay, TenantRater


@dg.asset(
    partitions_def=LANDING_DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="mediation",
    owners=["team:usage-operations"],
    kinds={"polars", "parquet"},
)
def raw_usage(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Well-formed records of the usage files that landed on a day, one row a record.

    Files already loaded are left alone. Red: read the message, mend the feed or the file, and
    run the day again; other files are loaded all the same.
    """
    loader = Loader(billing.installation, utc_now())
    for day in days_of(context.partition_keys):
        with storage_faults_retried():
            loaded = loader.load_landing_day(day)
        if loaded.has_files:
            context.add_asset_metadata(_loaded(loaded), partition_key=day.isoformat())
    return dg.MaterializeResult()


def _loaded(loaded: LoadedDay) -> shown.Metadata:
    quarantined = "\n".join(f"- {line}" for line in loaded.quarantined) or "none"
    return {
        **shown.row_count(loaded.accepted),
        **shown.counts(
            files=loaded.files,
            empty_files=loaded.empty,
            duplicate_files=loaded.duplicate_files,
            replaced_files=loaded.replaced_files,
            quarantined_files=len(loaded.quarantined),
            records=loaded.records,
            suspended=loaded.suspended,
            filtered=loaded.filtered,
        ),
        "quarantined": dg.MetadataValue.md(quarantined),
    }


@dg.asset(
    partitions_def=USAGE_DAYS,
    deps=[dg.AssetDep(raw_usage, partition_mapping=dg.IdentityPartitionMapping())],
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="mediation",
    owners=["team:usage-operations"],
    kinds={"polars", "parquet"},
)
def mediated_usage(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Usage events of a UTC day, each once and with its owner; the rest is in suspense.

    Re-running a day replaces it. Red: `billing suspense list` shows what waits and why.
    """
    for day in days_of(context.partition_keys):
        with storage_faults_retried():
            mediated = mediate_day(billing.installation, day, now=utc_now())
        if mediated:
            context.add_asset_metadata(_mediated(mediated), partition_key=day.isoformat())
    return dg.MaterializeResult()


def _mediated(owners: list[MediatedDay]) -> shown.Metadata:
    return {
        **shown.row_count(sum(owner.events for owner in owners)),
        **shown.counts(
            records=sum(owner.records for owner in owners),
            duplicates=sum(owner.duplicates for owner in owners),
            suspended=sum(owner.suspended for owner in owners),
            filtered=sum(owner.filtered for owner in owners),
        ),
    }


@dg.asset(
    partitions_def=TENANT_USAGE_DAYS,
    deps=[
        dg.AssetDep(
            mediated_usage, partition_mapping=dg.MultiToSingleDimensionPartitionMapping("day")
        )
    ],
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="rating",
    owners=["team:pricing"],
    kinds={"polars", "parquet"},
)
def rated_usage(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Usage events of a tenant's day with price, cost and what priced them; unrounded.

    Re-running a day replaces it. Red: an event found no price or no prefix; mend the catalog,
    apply it, and run the day again.
    """
    rater = TenantRater(billing.installation, utc_now())
    for tenant_key, day in tenant_days_of(context.partition_keys):
        with storage_faults_retried():
            rated = rater.rate_day(tenant_key, day)
        if rated.is_masked:
            context.log.warning("%s of %s is masked and stays as it is", day, tenant_key)
        if rated.events:
            key = tenant_day_key(tenant_key, day)
            context.add_asset_metadata(rated_metadata(rated), partition_key=key)
    return dg.MaterializeResult()


def rated_metadata(rated: RatedDay) -> shown.Metadata:
    """What is shown of a rated day."""
    return {
        **shown.row_count(rated.rated),
        **shown.counts(events=rated.events, suspended=rated.suspended),
        **shown.amount("amount", rated.amount, rated.currency),
        **shown.amount("cost", rated.cost_amount, rated.currency),
        **shown.amount("margin", rated.amount - rated.cost_amount, rated.currency),
    }
