"""Draft the next bill of every account, and announce usage that reached a threshold."""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from billing_pipeline.billing.draft import drafted_bills, usage_alerts
from billing_pipeline.billing.due import next_due_days
from billing_pipeline.billing.look_back import posted_in_look_back
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.billing.schema import TO_POST
from billing_pipeline.books import charges as posted
from billing_pipeline.books import drafts as kept
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.compute import compute_accounts
from billing_pipeline.orchestration.steps.facts import TenantFacts, billing_facts
from billing_pipeline.rating.schema import RATED_USAGE


@dataclass(frozen=True)
class DraftedBills:
    """A tenant's DRAFT_BILLS, dearest first, and the USAGE_ALERTS that are new with them."""

    drafts: pl.DataFrame
    alerts: pl.DataFrame


def draft_next_bills(
    installation: Installation, facts: TenantFacts, today: dt.date, now: dt.datetime
) -> DraftedBills:
    """Compute what every account's next bill would be by now, by the code that bills it.

    The drafts replace those before; an alert is raised once per account, bill and threshold.
    """
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    next_due = next_due_days(known, facts.accounts["account_key"], today)
    unposted = [TO_POST.empty()]
    for due_on in next_due["due_on"].unique().sort().to_list():
        accounts = next_due.filter(pl.col("due_on") == due_on)
        unposted.append(_unposted(installation, facts, accounts["account_key"], due_on))
    currencies = facts.accounts.select("account_key", "currency")
    drafts = drafted_bills(pl.concat(unposted), next_due, currencies, today)
    reached = usage_alerts(drafts, facts.tenant.billing_policy.usage_alerts)
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        kept.replace_drafts(connection, facts.tenant.key, drafts, now)
        new = kept.raise_alerts(connection, facts.tenant.key, reached, now)
    return DraftedBills(drafts.sort("expected", descending=True), new)


def _unposted(
    installation: Installation, facts: TenantFacts, account_keys: pl.Series, due_on: dt.date
) -> pl.DataFrame:
    """TO_POST of some accounts as of the day they are due next."""
    computed = compute_accounts(installation, facts, account_keys, due_on)
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        before = posted.posted_charges(connection, facts.tenant.key, account_keys)
    return reconcile(computed.charges, posted_in_look_back(known, account_keys, before, due_on))
