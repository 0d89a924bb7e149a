"""Which bill days have work to do: the others are completed in one statement."""

import datetime as dt
from collections.abc import Iterator, Sequence

import polars as pl

from billing_pipeline.billing.due import days_with_accounts_due, due_accounts
from billing_pipeline.books import due, invoices
from billing_pipeline.books.restated import restated_accounts
from billing_pipeline.books.scope import lock_tenant, tenant_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import TenantFacts, billing_facts
from billing_pipeline.rating.schema import RATED_USAGE


def busy_days(
    installation: Installation, facts: TenantFacts, days: Sequence[dt.date]
) -> set[dt.date]:
    """Those of some days, in order, on which somebody may be due."""
    if not days:
        return set()
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    turns = days_with_accounts_due(known, days[0], days[-1])
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        restated = restated_accounts(connection, facts.tenant.key, days[0], days[-1])
    return turns | set(restated["bill_day"])


def accounts_due(installation: Installation, facts: TenantFacts, bill_day: dt.date) -> pl.Series:
    """Accounts to bill on a local day, with those whose past has changed since the day before."""
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        restated = restated_accounts(connection, facts.tenant.key, bill_day, bill_day)
    approved = restated.filter("is_approved")
    return due_accounts(
        known, bill_day, restated=restated["account_key"], approved=approved["account_key"]
    )


def billable_days(
    installation: Installation, facts: TenantFacts, days: Sequence[dt.date], now: dt.datetime
) -> Iterator[dt.date]:
    """The busy days in order; the quiet ones before each are completed on the way."""
    busy = busy_days(installation, facts, days)
    quiet: list[dt.date] = []
    for day in days:
        if day not in busy:
            quiet.append(day)
            continue
        complete_quiet_days(installation, facts.tenant.key, quiet, now)
        quiet = []
        yield day
    complete_quiet_days(installation, facts.tenant.key, quiet, now)


def days_issued(
    installation: Installation, tenant_key: str, days: Sequence[dt.date]
) -> list[dt.date]:
    """Those of some bill days on which documents were issued."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        return invoices.days_with_documents(connection, tenant_key, days)


def complete_quiet_days(
    installation: Installation, tenant_key: str, days: Sequence[dt.date], now: dt.datetime
) -> None:
    """Complete days on which nobody is due, all at once."""
    if days:
        with tenant_scope(installation.engine, tenant_key) as connection:
            lock_tenant(connection, tenant_key)
            due.complete_quiet_days(connection, tenant_key, days, completed_at=now)
