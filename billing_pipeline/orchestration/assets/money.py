"""Assets of a bill run: charges, invoices, journal entries, documents, hand-off."""

import datetime as dt
from collections.abc import Iterator
from functools import partial
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
from billing_pipeline.orchestration.steps.bill_days import (
    billable_days,
    busy_days,
    days_issued,
)
from billing_pipeline.orchestration.steps.book import read_booked_day
from billing_pipeline.orchestration.steps.compute import compute_bill_day, keep_charges
from billing_pipeline.orchestration.steps.facts import TenantFacts, read_facts
from billing_pipeline.orchestration.steps.hand_over import hand_over, raise_refused
from billing_pipeline.orchestration.steps.issue import (
    IssuedDay,
    NotReconciled,
    issue_bill_day,
    note_failure,
)
from billing_pipeline.orchestration.steps.render import RenderedDay, render_days

LOOK_BACK_DAYS = 31

_LOOK_BACK = dg.MultiPartitionMapping(
    {
        "day": dg.DimensionPartitionMapping(
            dimension_name="day",
            partition_mapping=dg.TimeWindowPartitionMapping(
                start_offset=-LOOK_BACK_DAYS,
                end_offset=-1,
                allow_nonexistent_upstream_partitions=True,
            ),
        ),
        "tenant": dg.DimensionPartitionMapping(
            dimension_name="tenant", partition_mapping=dg.IdentityPartitionMapping()
        ),
    }
)
_ONE_RUN = dg.BackfillPolicy.single_run()


@dg.asset(
    partitions_def=TENANT_BILL_DAYS,
    deps=[dg.AssetDep(rated_usage, partition_mapping=_LOOK_BACK)],
    backfill_policy=_ONE_RUN,
    group_name="billing",
    owners=["team:billing-operations"],
    kinds={"polars", "parquet"},
)
def charges(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Every charge that should exist for the accounts due on a bill day; nothing is posted yet.

    Re-running computes again from the facts as they are now.
    """
    for facts, day in _busy_days(context, billing):
        with storage_faults_retried():
            computed = compute_bill_day(billing.installation, facts, day)
            keep_charges(billing.installation, facts.tenant.key, day, computed)
        if len(computed.account_keys):
            figures = {
                **shown.row_count(computed.charges.height),
                **shown.counts(accounts_due=len(computed.account_keys)),
                **shown.amount("charged in total", computed.amount, facts.tenant.currency),
            }
            context.add_asset_metadata(figures, partition_key=tenant_day_key(facts.tenant.key, day))
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=TENANT_BILL_DAYS,
    deps=[charges, dg.AssetKey("controls_before_issue")],
    backfill_policy=_ONE_RUN,
    group_name="invoicing",
    owners=["team:billing-operations"],
    kinds={"postgres"},
)
def invoices(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Invoices and credit notes of a bill day: the difference to what was posted, numbered.

    Issued documents never change; running the day again issues nothing. A day that waits for
    approval issues nothing, and its tenant's later days wait with it. Red: usage behind the
    bill is not complete, or a control holds the tenant; the message names the days.
    """
    waiting: set[str] = set()
    for facts, day in _billable_days(context, billing, waiting):
        with storage_faults_retried():
            try:
                issued = issue_bill_day(billing.installation, facts, day, utc_now())
            except NotReconciled as refusal:
                note_failure(billing.installation, facts.tenant.key, day, refusal)
                raise
        if issued.is_waiting:
            waiting.add(facts.tenant.key)
            context.log.warning("%s %s waits for approval", facts.tenant.key, day)
        if issued.accounts:
            key = tenant_day_key(facts.tenant.key, day)
            context.add_asset_metadata(_issued(issued), partition_key=key)
    return dg.MaterializeResult()


def _issued(issued: IssuedDay) -> shown.Metadata:
    return {
        **shown.row_count(issued.invoices + issued.credit_notes),
        **shown.counts(
            accounts_due=issued.accounts,
            waiting_for_approval=int(issued.is_waiting),
            invoices=issued.invoices,
            credit_notes=issued.credit_notes,
            lines=issued.lines,
        ),
        **shown.minor_amount("net", issued.net_minor, issued.currency),
        **shown.minor_amount("total", issued.total_minor, issued.currency),
    }


@dg.asset(
    partitions_def=TENANT_BILL_DAYS,
    deps=[invoices],
    backfill_policy=_ONE_RUN,
    group_name="accounting",
    owners=["team:finance"],
    kinds={"postgres"},
)
def journal_entries(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Double-entry bookings of a bill day's documents, made in the transaction that issued them.

    Red: a document is missing, or a query over the books found rows; the check says which.
    """
    for facts, day in _issued_days(context, billing):
        with storage_faults_retried():
            booked = read_booked_day(billing.installation, facts.tenant, day)
        if booked.entries:
            currency = facts.tenant.currency
            figures = {
                **shown.row_count(booked.entries),
                **shown.counts(postings=booked.postings),
                **shown.minor_amount("debit", booked.debit_minor, currency),
                **shown.minor_amount("credit", booked.credit_minor, currency),
            }
            context.add_asset_metadata(figures, partition_key=tenant_day_key(facts.tenant.key, day))
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=TENANT_BILL_DAYS,
    deps=[invoices, dg.AssetDep(rated_usage, partition_mapping=_LOOK_BACK)],
    backfill_policy=_ONE_RUN,
    group_name="invoicing",
    owners=["team:billing-operations"],
    kinds={"weasyprint"},
)
def invoice_documents(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """PDF, HTML and itemisation of a bill day's documents. Only what is missing is rendered."""
    # Each time it is asked for, Dagster makes the list anew.
    keys = set(context.partition_keys)
    for tenant_key, days in groupby(tenant_days_of(keys), _tenant_key):
        facts = read_facts(billing.installation, tenant_key)
        with storage_faults_retried():
            tell = partial(_log_rendered, context, tenant_key)
            rendered = render_days(billing.installation, facts, [day for _, day in days], tell)
        for key, figures in _keyed(tenant_key, rendered).items():
            if key in keys:
                context.add_asset_metadata(_rendered(figures), partition_key=key)
    return dg.MaterializeResult()


def _log_rendered(
    context: dg.AssetExecutionContext, tenant_key: str, done: int, total: int
) -> None:
    context.log.info("%s: %d of %d documents are rendered", tenant_key, done, total)


def _rendered(rendered: RenderedDay) -> shown.Metadata:
    links = "\n".join(f"- {number}: `{path}`" for number, path in rendered.paths)
    return {
        **shown.row_count(rendered.documents),
        **shown.counts(pages_bytes=rendered.bytes),
        "documents": dg.MetadataValue.md(links),
    }


@dg.asset(
    partitions_def=TENANT_BILL_DAYS,
    deps=[journal_entries],
    backfill_policy=_ONE_RUN,
    group_name="accounting",
    owners=["team:finance"],
    kinds={"csv"},
)
def accounting_handoff(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> dg.MaterializeResult[None]:
    """Numbered batches for the tenant's accounting systems; every entry is exported once.

    Customers that are new or changed go before the documents that name them. What a system could
    not take fails the run when all else is handed over.
    """
    refused: list[str] = []
    # One export takes every entry that waits: a day without documents adds none.
    for facts, day in _issued_days(context, billing):
        now = utc_now()
        with storage_faults_retried():
            told, files, why = hand_over(billing.installation, facts.tenant, day, now)
        refused.extend(why)
        listed = [
            *(
                f"- {file.format_name} customer batch {file.batch_number}: {file.customers} "
                f"customers, `{file.path}` (sha256 {file.sha256[:12]})"
                for file in told
            ),
            *(
                f"- {file.format_name} batch {file.batch_number}: {file.entries} entries, "
                f"`{file.path}` (sha256 {file.sha256[:12]})"
                for file in files
            ),
        ]
        if listed:
            figures = {
                **shown.counts(
                    batches=len(files),
                    entries=max((file.entries for file in files), default=0),
                    customers=max((file.customers for file in told), default=0),
                ),
                "files": dg.MetadataValue.md("\n".join(listed)),
            }
            context.add_asset_metadata(figures, partition_key=tenant_day_key(facts.tenant.key, day))
    raise_refused(refused)
    return dg.MaterializeResult()


def _keyed(tenant_key: str, rendered: dict[dt.date, RenderedDay]) -> dict[str, RenderedDay]:
    return {tenant_day_key(tenant_key, day): figures for day, figures in rendered.items()}


def _tenant_key(partition: TenantDay) -> str:
    return partition.tenant_key


def _busy_days(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> Iterator[tuple[TenantFacts, dt.date]]:
    """The run's partitions on which somebody may be due, in order."""
    for facts, days in _tenants(context, billing):
        busy = busy_days(billing.installation, facts, days)
        yield from ((facts, day) for day in days if day in busy)


def _billable_days(
    context: dg.AssetExecutionContext, billing: BillingInstallation, waiting: set[str]
) -> Iterator[tuple[TenantFacts, dt.date]]:
    """The same; days on which nobody is due are completed on the way.

    Once its consumer names a tenant in `waiting`, the tenant's later days are left alone.
    """
    for facts, days in _tenants(context, billing):
        for day in billable_days(billing.installation, facts, days, utc_now()):
            yield facts, day
            if facts.tenant.key in waiting:
                break


def _tenants(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> Iterator[tuple[TenantFacts, list[dt.date]]]:
    """The run's tenants, each with its facts and its days in order."""
    for tenant_key, days in groupby(tenant_days_of(context.partition_keys), _tenant_key):
        yield read_facts(billing.installation, tenant_key), [day for _, day in days]


def _issued_days(
    context: dg.AssetExecutionContext, billing: BillingInstallation
) -> Iterator[tuple[TenantFacts, dt.date]]:
    """The run's partitions on which documents were issued, and the last one of each tenant."""
    for facts, days in _tenants(context, billing):
        issued = days_issued(billing.installation, facts.tenant.key, days)
        yield from ((facts, day) for day in sorted({*issued, days[-1]}))
