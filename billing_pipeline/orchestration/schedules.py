"""The clock's only job: make local days due. Each (tenant, local day) becomes due exactly once."""

from collections.abc import Iterator

import dagster as dg

from billing_pipeline.books import catalog, due
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration import jobs
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.partitions import (
    add_tenants,
    month_request,
    tenant_span_request,
    unbroken_spans,
)
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.retention import plans
from billing_pipeline.orchestration.steps.close_month import month_to_close
from billing_pipeline.orchestration.steps.facts import read_tenant

DAYS_PER_TICK = 2_000


@dg.schedule(
    job=jobs.bill_run,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Bills every tenant's local days that have become due, oldest first.",
)
def daily_bill_runs(
    context: dg.ScheduleEvaluationContext, billing: BillingInstallation
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run per tenant and span of due local days.

    Days come from a table with primary key (tenant, bill day): a skipped tick, a restart or a
    change of the clocks can neither lose a day nor bill it twice.
    """
    with installation_scope(billing.installation.engine) as connection:
        due.plan_bill_days(connection, utc_now())
        days = due.due_bill_days(connection, limit=DAYS_PER_TICK)
        add_tenants(context.instance, catalog.tenant_keys(connection))
    if days.is_empty():
        yield dg.SkipReason("no tenant's local day is due")
    for (tenant_key,), own in sorted(days.partition_by("tenant_key", as_dict=True).items()):
        for first, last in unbroken_spans(own["bill_day"]):
            attempt = own.filter(own["bill_day"].is_between(first, last))["attempt"].sum()
            yield tenant_span_request("bill", str(tenant_key), first, last, attempt)


@dg.schedule(
    job=jobs.assure,
    cron_schedule="30 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Runs every control over every tenant, also over those that bill nobody that day.",
)
def daily_assurance(
    context: dg.ScheduleEvaluationContext, billing: BillingInstallation
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run per tenant, about its local yesterday."""
    now = utc_now()
    tenants = _known_tenants(context, billing)
    if not tenants:
        yield dg.SkipReason("no tenant was applied")
    for tenant_key in tenants:
        zone = read_tenant(billing.installation, tenant_key).zone
        day = now.astimezone(zone).date() - ONE_DAY
        yield tenant_span_request("assure", tenant_key, day, day, 1)


@dg.schedule(
    job=jobs.close_month,
    cron_schedule="0 7 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Closes last month for tenants whose tenant.yaml says on which day.",
)
def monthly_closings(
    context: dg.ScheduleEvaluationContext, billing: BillingInstallation
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run per tenant whose last month is still open on its closing day or later."""
    now = utc_now()
    tenants = _known_tenants(context, billing)
    due_months = [
        (tenant_key, month)
        for tenant_key in tenants
        if (month := month_to_close(billing.installation, tenant_key, now)) is not None
    ]
    if not due_months:
        yield dg.SkipReason("no tenant's month is to be closed today")
    for tenant_key, month in due_months:
        yield month_request(tenant_key, month, now.date())


@dg.schedule(
    job=jobs.draft_next_bills,
    cron_schedule="40 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Drafts the next bills of every tenant whose usage or configuration changed.",
)
def hourly_drafts(
    billing: BillingInstallation,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run per tenant and local day, again whenever its facts changed."""
    now = utc_now()
    with installation_scope(billing.installation.engine) as connection:
        tenants = catalog.read_local_days(connection, now)
    if tenants.is_empty():
        yield dg.SkipReason("no tenant has subscriptions")
    for tenant_key, today, version in tenants.rows():
        yield tenant_span_request("draft", tenant_key, today, today, version)


@dg.schedule(
    job=jobs.recommend_plans,
    cron_schedule="10 3 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Compares plans for every tenant's subscriptions, once a week.",
)
def weekly_plan_recommendations(
    billing: BillingInstallation,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run per tenant and week."""
    with installation_scope(billing.installation.engine) as connection:
        tenants = catalog.read_local_days(connection, utc_now())
    if tenants.is_empty():
        yield dg.SkipReason("no tenant has subscriptions")
    for tenant_key, today, _ in tenants.rows():
        yield tenant_span_request("swap", tenant_key, today, today, "weekly")


@dg.schedule(
    job=jobs.mask_usage,
    cron_schedule="20 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Masks usage of tenants whose tenant.yaml says how long numbers are kept.",
)
def daily_masking(
    context: dg.ScheduleEvaluationContext, billing: BillingInstallation
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run for every company that has something to mask or to remove."""
    now = utc_now()
    _known_tenants(context, billing)
    due_families = [plan.family.root for plan in plans(billing.installation, now) if plan.is_due]
    if not due_families:
        yield dg.SkipReason("nothing is older than tenants keep it")
    for root in due_families:
        yield dg.RunRequest(run_key=f"mask:{root}:{now.date()}", partition_key=root)


def _known_tenants(
    context: dg.ScheduleEvaluationContext, billing: BillingInstallation
) -> list[str]:
    """Every tenant, one applied a moment ago too: from now on it has partitions."""
    with installation_scope(billing.installation.engine) as connection:
        tenants = catalog.tenant_keys(connection)
    add_tenants(context.instance, tenants)
    return tenants


ALL = [
    daily_masking,
    daily_bill_runs,
    daily_assurance,
    monthly_closings,
    hourly_drafts,
    weekly_plan_recommendations,
]
