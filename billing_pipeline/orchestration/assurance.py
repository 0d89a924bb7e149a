"""What people do with findings: look, assign, note, accept, run the controls again."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from billing_pipeline.assurance.run import wanted_controls
from billing_pipeline.books import findings
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.assure import AssuredTenant, assure_tenant
from billing_pipeline.orchestration.steps.facts import read_facts_anew, read_tenant


def read_all_findings(
    installation: Installation, tenant_key: str | None, state: str
) -> pl.DataFrame:
    """KEPT_FINDINGS of one tenant or all, in one state or `all`, blocking ones first.

    With `owner`: who is asked, as the catalogue of controls or the tenant says; null where what
    was found is no control's.
    """
    states = () if state == "all" else (state,)
    with installation_scope(installation.engine) as connection:
        found = findings.read_findings(connection, *states)
    own = found if tenant_key is None else found.filter(pl.col("tenant_key") == tenant_key)
    owners = _owners(installation, own["tenant_key"].unique().sort())
    named = own.join(owners, on=["tenant_key", "control"], how="left", validate="m:1")
    return named.sort("severity", "tenant_key", "control", "subject")


def _owners(installation: Installation, tenant_keys: Iterable[str]) -> pl.DataFrame:
    """Who owns each control, tenant by tenant: tenant_key, control, owner."""
    rows = [
        (tenant_key, name, control.owner)
        for tenant_key in tenant_keys
        if tenant_key
        for name, control in wanted_controls(read_tenant(installation, tenant_key).controls).items()
    ]
    schema = {"tenant_key": pl.String, "control": pl.String, "owner": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def read_finding(
    installation: Installation, tenant_key: str, control: str, subject: str
) -> dict[str, Any]:
    """Everything known about one finding, by column.

    Raises: NoSuchFinding.
    """
    found = read_all_findings(installation, tenant_key, "all")
    one = found.filter(pl.col("control") == control, pl.col("subject") == subject)
    if one.is_empty():
        raise findings.NoSuchFinding(
            f"{control} has found nothing about {subject} of {tenant_key}; billing findings list"
        )
    return one.row(0, named=True)


def assign(
    installation: Installation,
    tenant_key: str,
    control: str,
    subject: str,
    *,
    person: str | None = None,
    words: str | None = None,
) -> None:
    """Say who looks after a finding, or what is known about it.

    Raises: NoSuchFinding.
    """
    with tenant_scope(installation.engine, tenant_key) as connection:
        findings.assign_finding(
            connection, tenant_key, control=control, subject=subject, assigned_to=person, note=words
        )


def accept(
    installation: Installation,
    tenant_key: str,
    control: str,
    subject: str,
    *,
    person: str,
    reason: str,
) -> None:
    """Let a finding stand.

    Raises: NoSuchFinding.
    """
    with tenant_scope(installation.engine, tenant_key) as connection:
        findings.accept_finding(
            connection,
            tenant_key,
            control=control,
            subject=subject,
            accepted_by=person,
            note=reason,
        )


def run_controls(installation: Installation, tenant_key: str) -> AssuredTenant:
    """Run every control over a tenant as of its local yesterday."""
    facts = read_facts_anew(installation, tenant_key)
    now = utc_now()
    today = now.astimezone(facts.tenant.zone).date()
    return assure_tenant(installation, facts, [today - ONE_DAY], now)
