"""The asset of printed reports."""

import dagster as dg

from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.partitions import TENANT_MONTHS, tenant_days_of
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.retries import storage_faults_retried
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.report import store_report


@dg.asset(
    partitions_def=TENANT_MONTHS,
    deps=[dg.AssetKey("closed_month")],
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="accounting",
    owners=["team:finance"],
    kinds={"weasyprint"},
)
def financial_reports(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """A tenant's month on paper: revenue, balances, tax, receivables, margins, usage, movers.

    Re-running prints it as the books are now.
    """
    figures: shown.Metadata = {}
    for tenant_key, month in tenant_days_of(context.partition_keys):
        facts = read_facts(billing.installation, tenant_key)
        with storage_faults_retried():
            stored = store_report(billing.installation, facts, month, utc_now())
        listed = "\n".join(f"- `{path}`" for path in stored.paths)
        figures = {**shown.counts(**stored.rows), "report": dg.MetadataValue.md(listed)}
    return dg.MaterializeResult(metadata=figures)
