"""Jobs, named by what people do."""

import dagster as dg

from billing_pipeline.orchestration.assets import (
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

load_usage = dg.define_asset_job(
    "load_usage",
    selection=dg.AssetSelection.assets(usage.raw_usage),
    description="Decode the usage files of a landing day.",
)
mediate_usage = dg.define_asset_job(
    "mediate_usage",
    selection=dg.AssetSelection.assets(usage.mediated_usage),
    description="Find each event's owner, once, for usage days.",
)
rate_usage = dg.define_asset_job(
    "rate_usage",
    selection=dg.AssetSelection.assets(usage.rated_usage),
    description="Price a tenant's usage days.",
)
bill_run = dg.define_asset_job(
    "bill_run",
    selection=dg.AssetSelection.assets(
        money.charges,
        money.invoices,
        money.invoice_documents,
        money.journal_entries,
        money.accounting_handoff,
        outlook.provisioning_events,
        assurance.controls_before_issue,
        assurance.assurance_report,
    ),
    description="Charge, control, invoice, book and hand off a tenant's bill days.",
)
watch_suspense = dg.define_asset_job(
    "watch_suspense",
    selection=dg.AssetSelection.assets(suspense.suspense),
    description="Count what waits in suspense, its age and its probable value.",
)
assure = dg.define_asset_job(
    "assure",
    selection=dg.AssetSelection.assets(assurance.assurance_report),
    description="Run every control over a tenant, whether or not anything was billed.",
)
draft_next_bills = dg.define_asset_job(
    "draft_next_bills",
    selection=dg.AssetSelection.assets(outlook.draft_bills),
    description="Draft the next bill of every account of a tenant as it stands today.",
)
recommend_plans = dg.define_asset_job(
    "recommend_plans",
    selection=dg.AssetSelection.assets(outlook.plan_recommendations),
    description="Find the plan that would have been cheapest for every subscription.",
)
close_month = dg.define_asset_job(
    "close_month",
    selection=dg.AssetSelection.assets(month.closed_month, reports.financial_reports),
    description="Accrue, release, revalue and close a tenant's month; print its report.",
)
print_report = dg.define_asset_job(
    "print_report",
    selection=dg.AssetSelection.assets(reports.financial_reports),
    description="Print a tenant's month as its books are now.",
)
preview_reprocess = dg.define_asset_job(
    "preview_reprocess",
    selection=dg.AssetSelection.assets(reprocess.reprocess_preview),
    description="Show in money what rating some days of a tenant again would change.",
)
mask_usage = dg.define_asset_job(
    "mask_usage",
    selection=dg.AssetSelection.assets(retention.masked_usage),
    description="Mask numbers of usage that is older than tenants keep it.",
)
ALL = [
    mask_usage,
    preview_reprocess,
    load_usage,
    mediate_usage,
    rate_usage,
    bill_run,
    watch_suspense,
    assure,
    draft_next_bills,
    recommend_plans,
    close_month,
    print_report,
]
