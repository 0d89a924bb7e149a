"""The asset of a month's end."""

import dagster as dg

from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration.partitions import TENANT_MONTHS, tenant_days_of
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.retries import storage_faults_retried
from billing_pipeline.orchestration.steps.close_month import close_month
from billing_pipeline.orchestration.steps.facts import read_facts

CLOSER = "close_month"


@dg.asset(
    partitions_def=TENANT_MONTHS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="accounting",
    owners=["team:finance"],
    kinds={"postgres"},
)
def closed_month(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """A month's end booked and its period closed: releases, accruals, revaluation.

    Red: a bill day of the month is not completed, or an earlier month is open; the message says
    which. A month that is closed already is reopened by a person first.
    """
    booked: dict[str, int] = {}
    for tenant_key, first_day in tenant_days_of(context.partition_keys):
        facts = read_facts(billing.installation, tenant_key)
        with storage_faults_retried():
            closed = close_month(billing.installation, facts, first_day, closed_by=CLOSER)
        booked = closed.booked
    return dg.MaterializeResult(
        metadata={**shown.row_count(sum(booked.values())), **shown.counts(**booked)}
    )
