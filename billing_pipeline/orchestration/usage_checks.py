"""Checks on files and suspense: they show in words; nothing waits for them."""

import dagster as dg
import polars as pl

from billing_pipeline.assurance.suspense_value import suspense_findings
from billing_pipeline.books import files
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration.assets import suspense, usage
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.file_audit import proof_of_files, sequence_gaps
from billing_pipeline.orchestration.partitions import days_of
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.steps.facts import read_tenant
from billing_pipeline.orchestration.suspense_watch import tenant_suspense


@dg.asset_check(asset=suspense.suspense, name="suspense_is_young_and_small")
def suspense_is_young_and_small(
    context: dg.AssetCheckExecutionContext, billing: BillingInstallation
) -> dg.AssetCheckResult:
    """No tenant's suspense is older or worth more than its `suspense` policy allows."""
    installation = billing.installation
    found = {key: tenant_suspense(installation, key).waiting for key in context.partition_keys}
    waiting = {key: there for key, there in found.items() if there is not None}
    policies = {key: read_tenant(installation, key).suspense for key in waiting}
    findings = suspense_findings(waiting, policies, utc_now())
    return dg.AssetCheckResult(
        passed=findings.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        description=_words(findings, f"{len(waiting)} tenants have suspense, within their limits."),
        metadata={"findings": shown.table(findings)},
    )


@dg.asset_check(asset=usage.raw_usage, name="every_file_is_kept_whole", blocking=True)
def every_file_is_kept_whole(
    context: dg.AssetCheckExecutionContext, billing: BillingInstallation
) -> dg.AssetCheckResult:
    """Of each file the lake keeps exactly the records and the quantity that were decoded."""
    days = days_of(context.partition_keys)
    with installation_scope(billing.installation.engine) as connection:
        balances = files.file_balances(connection, days[0], days[-1])
    findings = proof_of_files(balances)
    words = f"{balances.height} files: every record and every unit of quantity is kept."
    return dg.AssetCheckResult(
        passed=findings.is_empty(),
        description=_words(findings, words),
        metadata={"files": balances.height, "findings": shown.table(findings)},
    )


@dg.asset_check(asset=usage.raw_usage, name="no_file_is_missing")
def no_file_is_missing(
    context: dg.AssetCheckExecutionContext,  # noqa: ARG001 - Dagster hands it over
    billing: BillingInstallation,
) -> dg.AssetCheckResult:
    """Numbered files of every source have come without a gap, whatever their order."""
    gaps = sequence_gaps(billing.installation, None)
    return dg.AssetCheckResult(
        passed=gaps.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        description="No number is missing."
        if gaps.is_empty()
        else f"{int(gaps['files'].sum())} files are missing; ask whoever sends them, and see "
        "`billing feed gaps`.",
        metadata={"gaps": shown.table(gaps)},
    )


def _words(findings: pl.DataFrame, otherwise: str) -> str:
    lines = [f"{subject}: {message}" for subject, message in _subjects(findings)]
    return "\n\n".join(lines) or otherwise


def _subjects(findings: pl.DataFrame) -> list[tuple[str, str]]:
    return list(findings.select("subject", "message").rows())


ALL = [suspense_is_young_and_small, every_file_is_kept_whole, no_file_is_missing]
"""Shown beside the checks of conservation."""
