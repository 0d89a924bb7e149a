"""What Dagster loads: assembly, nothing else."""

import warnings

import dagster as dg

# Partition mappings and backfill policies are beta in the pinned version; their behaviour is
# covered by tests, so the notice says nothing new at every start.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from billing_pipeline.orchestration import alerts, checks, jobs, schedules, sensors  # noqa: E402
from billing_pipeline.orchestration.assets import (  # noqa: E402
    assurance,
    money,
    month,
    outlook,
    reports,
    reprocess,
    retention,
    suspense,
    usage,
)
from billing_pipeline.orchestration.large_days import rate_large_day  # noqa: E402
from billing_pipeline.orchestration.resources import BillingInstallation  # noqa: E402

defs = dg.Definitions(
    assets=[
        usage.raw_usage,
        usage.mediated_usage,
        usage.rated_usage,
        suspense.suspense,
        retention.masked_usage,
        money.charges,
        money.invoices,
        money.invoice_documents,
        money.journal_entries,
        money.accounting_handoff,
        reprocess.reprocess_preview,
        outlook.provisioning_events,
        outlook.draft_bills,
        outlook.plan_recommendations,
        assurance.controls_before_issue,
        assurance.assurance_report,
        month.closed_month,
        reports.financial_reports,
    ],
    asset_checks=checks.ALL,
    jobs=[*jobs.ALL, rate_large_day],
    schedules=schedules.ALL,
    sensors=[*sensors.ALL, *alerts.ALL],
    resources={"billing": BillingInstallation()},
    executor=dg.in_process_executor,
)
