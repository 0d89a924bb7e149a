"""Checks show in words what the books hold; the gate itself is read by the next stage."""

import datetime as dt
from collections.abc import Collection

import dagster as dg
import polars as pl

from billing_pipeline.assurance.conservation import conservation_gaps
from billing_pipeline.books import checks as books_checks
from billing_pipeline.books import conservation
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration import usage_checks
from billing_pipeline.orchestration.assets import assurance, money, usage
from billing_pipeline.orchestration.assurance import read_all_findings
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.partitions import days_of, tenant_days_of
from billing_pipeline.orchestration.resources import BillingInstallation


@dg.asset_check(asset=usage.raw_usage, name="nothing_lost_in_decoding", blocking=True)
def decode_conserves(
    context: dg.AssetCheckExecutionContext, billing: BillingInstallation
) -> dg.AssetCheckResult:
    """Every framed record is accepted, suspended or filtered, in records and quantity."""
    days = days_of(context.partition_keys)
    return _conserved(billing, "decode", days[0], days[-1])


@dg.asset_check(asset=usage.mediated_usage, name="nothing_lost_in_mediation", blocking=True)
def mediation_conserves(
    context: dg.AssetCheckExecutionContext, billing: BillingInstallation
) -> dg.AssetCheckResult:
    """Every raw record is an event, a duplicate or in suspense, in records and quantity."""
    days = days_of(context.partition_keys)
    return _conserved(billing, "mediate", days[0], days[-1])


@dg.asset_check(asset=usage.rated_usage, name="nothing_lost_in_rating", blocking=True)
def rating_conserves(
    context: dg.AssetCheckExecutionContext, billing: BillingInstallation
) -> dg.AssetCheckResult:
    """Every event is rated or in suspense, in records and quantity."""
    days = [day for _, day in tenant_days_of(context.partition_keys)]
    return _conserved(billing, "rate", min(days), max(days))


BEFORE_BOOKING = (
    "charges_equal_invoice_lines",
    "credits_within_charges",
    "invoice_numbers_without_gaps",
    "invoices_equal_their_lines",
    "service_periods_charged_once",
    "taxes_recomputed",
)
"""Checks that hold as soon as documents are issued; the others wait for the journal."""


@dg.asset_check(asset=money.invoices, name="documents_add_up", blocking=True)
def documents_add_up(
    context: dg.AssetCheckExecutionContext, billing: BillingInstallation
) -> dg.AssetCheckResult:
    """Charges, lines, taxes, totals and number series of the tenants agree to the minor unit."""
    return _books(context, billing, BEFORE_BOOKING)


@dg.asset_check(asset=money.journal_entries, name="books_agree", blocking=True)
def books_agree(
    context: dg.AssetCheckExecutionContext, billing: BillingInstallation
) -> dg.AssetCheckResult:
    """No query over the tenants' books that must return no row returns one."""
    return _books(context, billing, None)


@dg.asset_check(asset=assurance.controls_before_issue, name="nobody_is_stopped")
def nobody_is_stopped(
    context: dg.AssetCheckExecutionContext, billing: BillingInstallation
) -> dg.AssetCheckResult:
    """No control found anything that stops a tenant or an account from being billed."""
    stopped = _findings(context, billing).filter(pl.col("severity") == "block")
    accounts = stopped["account_key"].drop_nulls().n_unique()
    tenants = stopped.filter(pl.col("account_key").is_null())["tenant_key"].n_unique()
    words = (
        "No control stops anybody."
        if stopped.is_empty()
        else f"{tenants} tenant(s) and {accounts} account(s) are not billed; all others are."
    )
    return dg.AssetCheckResult(
        passed=stopped.is_empty(),
        severity=dg.AssetCheckSeverity.ERROR,
        description=words,
        metadata={"findings": shown.table(stopped)},
    )


@dg.asset_check(asset=assurance.assurance_report, name="nothing_is_found")
def nothing_is_found(
    context: dg.AssetCheckExecutionContext, billing: BillingInstallation
) -> dg.AssetCheckResult:
    """The tenants have no open finding of any control."""
    found = _findings(context, billing)
    blocking = found.filter(pl.col("severity") == "block")
    words = (
        "No control has anything to say."
        if found.is_empty()
        else f"{found.height} open finding(s), {blocking.height} of them blocking; "
        f"first {found.item(0, 'control')} {found.item(0, 'subject')}: {found.item(0, 'message')}"
    )
    severity = dg.AssetCheckSeverity.WARN if blocking.is_empty() else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        passed=found.is_empty(),
        severity=severity,
        description=words,
        metadata={"findings": shown.table(found)},
    )


def _findings(context: dg.AssetCheckExecutionContext, billing: BillingInstallation) -> pl.DataFrame:
    """Open findings of the run's tenants, blocking ones first."""
    tenants = sorted({day.tenant_key for day in tenant_days_of(context.partition_keys)})
    return pl.concat(read_all_findings(billing.installation, key, "open") for key in tenants)


def _books(
    context: dg.AssetCheckExecutionContext,
    billing: BillingInstallation,
    names: Collection[str] | None,
) -> dg.AssetCheckResult:
    failing: dict[str, pl.DataFrame] = {}
    for tenant_key in sorted({day.tenant_key for day in tenant_days_of(context.partition_keys)}):
        with tenant_scope(billing.installation.engine, tenant_key) as connection:
            found = books_checks.failing_checks(connection, names)
        failing |= {f"{tenant_key}: {name}": rows for name, rows in found.items()}
    return _checked_books(failing)


def _checked_books(failing: dict[str, pl.DataFrame]) -> dg.AssetCheckResult:
    words = "All queries returned no row." if not failing else f"Failing: {', '.join(failing)}."
    return dg.AssetCheckResult(
        passed=not failing,
        description=words,
        metadata={name: shown.table(rows) for name, rows in failing.items()},
    )


def _conserved(
    billing: BillingInstallation, stage: str, first: dt.date, last: dt.date
) -> dg.AssetCheckResult:
    with installation_scope(billing.installation.engine) as connection:
        rows = conservation.read_conservation(connection, first, last + ONE_DAY)
    own = rows.filter(pl.col("stage") == stage)
    gaps = conservation_gaps(own)
    total = int(own["records_in"].sum())
    words = (
        f"{total} records in, every one accounted for."
        if gaps.is_empty()
        else f"{gaps.height} equations do not balance; the next stage will refuse these days."
    )
    return dg.AssetCheckResult(
        passed=gaps.is_empty(),
        description=words,
        metadata={
            "records_in": total,
            "accepted": int(own["accepted"].sum()),
            "duplicates": int(own["duplicates"].sum()),
            "suspended": int(own["suspended"].sum()),
            "filtered": int(own["filtered"].sum()),
            "findings": shown.table(gaps),
        },
    )


ALL = [
    decode_conserves,
    mediation_conserves,
    rating_conserves,
    nobody_is_stopped,
    documents_add_up,
    books_agree,
    nothing_is_found,
    *usage_checks.ALL,
]
