"""Assets of revenue assurance: what the controls say before a bill goes out, and after it."""

import datetime as dt
from collections.abc import Iterator
from itertools import groupby

import dagster as dg

from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration.assets import money
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.partitions import (
    TENANT_BILL_DAYS,
    TenantDay,
    tenant_day_key,
    tenant_days_of,
)
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.retries import storage_faults_retried
from billing_pipeline.orchestration.steps.assure import AssuredTenant, assure_tenant
from billing_pipeline.orchestration.steps.facts import read_facts_anew

_ONE_RUN = dg.BackfillPolicy.single_run()


@dg.asset(
    partitions_def=TENANT_BILL_DAYS,
    deps=[money.charges],
    backfill_policy=_ONE_RUN,
    group_name="assurance",
    owners=["team:revenue-assurance"],
    kinds={"polars", "postgres"},
)
def controls_before_issue(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Every control over what is about to be billed; what blocks stops its account or tenant.

    Re-running looks again; findings that are gone are resolved, and the next run bills on.
    """
    _assure_all(context, billing)
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=TENANT_BILL_DAYS,
    deps=[money.journal_entries],
    backfill_policy=_ONE_RUN,
    group_name="assurance",
    owners=["team:revenue-assurance"],
    kinds={"polars", "postgres"},
)
def assurance_report(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """What the controls say of a tenant once its bills are out and booked.

    Red: read the findings; `billing findings list` shows since when, and who looks after them.
    """
    _assure_all(context, billing)
    return dg.MaterializeResult()


def _assure_all(context: dg.AssetExecutionContext, billing: BillingInstallation) -> None:
    for tenant_key, days in _by_tenant(context.partition_keys):
        facts = read_facts_anew(billing.installation, tenant_key)
        with storage_faults_retried():
            said = assure_tenant(billing.installation, facts, days, utc_now())
        context.add_asset_metadata(_said(said), partition_key=tenant_day_key(tenant_key, days[-1]))


def _by_tenant(keys: list[str]) -> Iterator[tuple[str, list[dt.date]]]:
    for tenant_key, days in groupby(tenant_days_of(keys), _tenant_key):
        yield tenant_key, [day for _, day in days]


def _tenant_key(partition: TenantDay) -> str:
    return partition.tenant_key


def _said(said: AssuredTenant) -> shown.Metadata:
    return {
        **shown.counts(
            controls=len(said.controls),
            checks_of_the_books=len(said.checks),
            findings_that_block=said.of_severity("block").height,
            findings_that_warn=said.of_severity("warn").height,
        ),
        "findings": shown.table(said.found),
    }
