"""Run every control over one tenant, keep what they found, and say who is stopped."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.assurance.catalogue import judged
from billing_pipeline.assurance.control import Control
from billing_pipeline.assurance.facts import AssuranceFacts
from billing_pipeline.assurance.findings import all_findings
from billing_pipeline.assurance.run import assure, wanted_controls
from billing_pipeline.assurance.usage_summed import summed_usage
from billing_pipeline.billing.history import subscription_history
from billing_pipeline.billing.schema import CHARGES
from billing_pipeline.books import assured, checks, findings, invoices, journal, manifest
from billing_pipeline.books import catalog as stored
from billing_pipeline.books import charges as posted
from billing_pipeline.books.conservation import read_conservation
from billing_pipeline.books.scope import Connection, tenant_scope
from billing_pipeline.catalog.entries import feeds_from_entries
from billing_pipeline.customers.schema import SUBSCRIPTIONS
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.compute import read_charges_of
from billing_pipeline.orchestration.steps.facts import TenantFacts, read_rate_cards
from billing_pipeline.orchestration.steps.verify_lake import verify_parts
from billing_pipeline.orchestration.suspense import read_suspense
from billing_pipeline.rating.schema import RATED_USAGE

LOOK_BACK = dt.timedelta(days=62)
ROWS_AT_ONCE = 1_000_000
"""Rated events that controls hold in memory at a time, give or take a file."""


@dataclass(frozen=True)
class AssuredTenant:
    """What a run of all controls came to."""

    controls: tuple[Control, ...]
    checks: tuple[str, ...]
    found: pl.DataFrame

    def of_severity(self, severity: str) -> pl.DataFrame:
        """The findings that warn, or that block."""
        return self.found.filter(pl.col("severity") == severity)


def assure_tenant(
    installation: Installation,
    facts: TenantFacts,
    bill_days: Sequence[dt.date],
    now: dt.datetime,
) -> AssuredTenant:
    """Run every control and every check of the books over a tenant; keep the findings.

    Findings that are gone are resolved; what still stands says since when. Charges computed for
    `bill_days` are looked at too, whether or not they are posted yet.
    """
    tenant_key = facts.tenant.key
    said = assure(_gathered(installation, facts, bill_days, now))
    with tenant_scope(installation.engine, tenant_key) as connection:
        names, failing = checks.check_findings(connection, tenant_key)
        failing = judged(failing, said.wanted)
        found = all_findings([said.found, failing])
        asked = [*(control.name for control in said.controls), *names, *_switched_off(facts.tenant)]
        findings.record_findings(connection, tenant_key, found, controls=asked, seen_at=now)
    return AssuredTenant(said.controls, tuple(names), found)


def stopping_controls(connection: Connection, tenant_key: str) -> pl.DataFrame:
    """Open findings that stop a tenant, or the accounts they name, from being billed."""
    return findings.stops(connection, tenant_key, [*wanted_controls({})])


def _switched_off(tenant: Tenant) -> list[str]:
    """Controls that find nothing any more because the tenant does not want them."""
    return [name for name, setting in tenant.controls.items() if setting.is_off]


def _gathered(
    installation: Installation,
    facts: TenantFacts,
    bill_days: Sequence[dt.date],
    now: dt.datetime,
) -> AssuranceFacts:
    tenant_key, day = facts.tenant.key, max(bill_days)
    computed = _computed(installation, tenant_key, bill_days)
    first_day = min(min(bill_days) - LOOK_BACK, _first_service(computed, day))
    until = day + ONE_DAY
    with tenant_scope(installation.engine, tenant_key) as connection:
        entries = stored.read_entries(connection, tenant_key)
        from_books = {
            "posted": posted.posted_charges(
                connection, tenant_key, facts.accounts.get_column("account_key")
            ),
            "documents": invoices.read_invoices(connection, tenant_key),
            "journal": journal.read_journal(connection, tenant_key),
            "days_due": assured.days_worked_on(connection, tenant_key, first_day, until),
            "conservation": read_conservation(connection, first_day, until, tenant_key),
            "landed": assured.landed_files(connection, tenant_key),
            "rate_cards": assured.rate_card_ages(connection, tenant_key),
        }
    verified = verify_parts(installation, tenant_key, first_day, until, now)
    portions = list(_intact_usage(installation, verified))
    usage = summed_usage(portions, facts.tenant.time_zone)
    return AssuranceFacts(
        tenant=facts.tenant,
        catalog=facts.catalog,
        feeds=feeds_from_entries(entries),
        first_day=first_day,
        day=day,
        now=now,
        accounts=facts.accounts,
        subscriptions=_as_they_ended(facts),
        changes=facts.terms.changes,
        computed=computed,
        computed_before=read_charges_of(installation, tenant_key, first_day, until),
        rated_usage=pl.concat(portions),
        usage=usage,
        suspense=read_suspense(installation, tenant_key),
        parts=verified,
        card_prices=read_rate_cards(
            installation, tenant_key, prefixes=usage.at_prices["rate_prefix"]
        ),
        **from_books,
    )


def _as_they_ended(facts: TenantFacts) -> pl.DataFrame:
    """SUBSCRIPTIONS with the plan they have last and the day a cancellation ended them."""
    spans = subscription_history(facts.subscriptions, facts.terms.changes)
    last = spans.sort("span_from").unique("subscription_key", keep="last", maintain_order=True)
    return SUBSCRIPTIONS.conform(last.sort("subscription_key"))


def _computed(
    installation: Installation, tenant_key: str, bill_days: Sequence[dt.date]
) -> pl.DataFrame:
    """Charges of the bill days, each as computed last; one computed twice in a day stands twice."""
    from_day, until_day = min(bill_days), max(bill_days) + ONE_DAY
    with tenant_scope(installation.engine, tenant_key) as connection:
        parts = manifest.partition_paths(
            connection, layout.CHARGES, tenant_key, from_day, until_day
        )
    latest = CHARGES.empty()
    for day in parts.partition_by("partition_day", maintain_order=True)[::-1]:
        charges = installation.lake.scan(day["path"].to_list(), CHARGES).collect()
        latest = pl.concat([latest, charges.join(latest, on="charge_key", how="anti")])
    return latest


def _first_service(computed: pl.DataFrame, day: dt.date) -> dt.date:
    usage = computed.filter(pl.col("charge_kind") == "usage")
    if usage.is_empty():
        return day
    return dt.date.fromisoformat(str(usage["service_from"].min())) - ONE_DAY


def _intact_usage(installation: Installation, parts: pl.DataFrame) -> Iterator[pl.LazyFrame]:
    """RATED_USAGE of the files that are as they were written, in portions of about as many rows."""
    intact = parts.filter(pl.col("frame") == layout.RATED_USAGE, pl.col("fault").is_null())
    if intact.is_empty():
        yield RATED_USAGE.empty().lazy()
    before = pl.col("rows").cum_sum().shift(1, fill_value=0)
    numbered = intact.with_columns(portion=before // ROWS_AT_ONCE)
    for portion in numbered.partition_by("portion", maintain_order=True):
        yield installation.lake.scan(portion["path"].to_list(), RATED_USAGE)
