"""Jobs, named by what people do."""

import dagster as dg

from billing_pipeline.orchestration.assets import assurance, money, month, usage

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
        assurance.controls_before_issue,
        assurance.assurance_report,
    ),
    description="Charge, control, invoice, book and hand off a tenant's bill days.",
)
assure = dg.define_asset_job(
    "assure",
    selection=dg.AssetSelection.assets(assurance.assurance_report),
    description="Run every control over a tenant, whether or not anything was billed.",
)
close_month = dg.define_asset_job(
    "close_month",
    selection=dg.AssetSelection.assets(month.closed_month),
    description="Accrue, release, revalue and close a tenant's month.",
)
ALL = [load_usage, mediate_usage, rate_usage, bill_run, assure, close_month]
