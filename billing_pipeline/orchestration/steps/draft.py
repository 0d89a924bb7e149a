"""Draft the next bill of every account, and announce usage that reached a threshold."""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from billing_pipeline.billing.draft import (
    drafted_bills,
    expected_bill_alerts,
    included_unit_alerts,
    usage_alerts,
)
from billing_pipeline.billing.due import next_due_days
from billing_pipeline.billing.included_use import included_use
from billing_pipeline.billing.look_back import posted_in_look_back
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.billing.schema import DRAFT_ALERTS, TO_POST
from billing_pipeline.books import charges as posted
from billing_pipeline.books import drafts as kept
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.compute import compute_accounts, usage_of_accounts
from billing_pipeline.orchestration.steps.facts import TenantFacts, billing_facts
from billing_pipeline.rating.schema import RATED_USAGE


@dataclass(frozen=True)
class DraftedBills:
    """A tenant's DRAFT_BILLS, dearest first, and the alerts that are new with them.

    `alerts` are USAGE_ALERTS, `draft_alerts` DRAFT_ALERTS.
    """

    drafts: pl.DataFrame
    alerts: pl.DataFrame
    draft_alerts: pl.DataFrame


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
    policy = facts.tenant.billing_policy
    reached = usage_alerts(drafts, policy.usage_alerts)
    further = pl.concat(
        [
            expected_bill_alerts(drafts, policy.expected_bill_alerts),
            _included_units(installation, facts, next_due, today),
        ]
    )
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        kept.replace_drafts(connection, facts.tenant.key, drafts, now)
        new = kept.raise_alerts(connection, facts.tenant.key, reached, now)
        new_further = kept.raise_draft_alerts(connection, facts.tenant.key, further, now)
    return DraftedBills(drafts.sort("expected", descending=True), new, new_further)


def _included_units(
    installation: Installation, facts: TenantFacts, next_due: pl.DataFrame, today: dt.date
) -> pl.DataFrame:
    """DRAFT_ALERTS of pools of included units; no threshold, no usage is read."""
    thresholds = facts.tenant.billing_policy.included_unit_alerts
    if not thresholds or next_due.is_empty():
        return DRAFT_ALERTS.empty()
    keys = next_due["account_key"]
    last = next_due["due_on"].max()
    usage = usage_of_accounts(
        installation, facts, keys, last if isinstance(last, dt.date) else today
    )
    use = included_use(billing_facts(facts, usage), keys, today)
    return included_unit_alerts(use, next_due, thresholds)


def _unposted(
    installation: Installation, facts: TenantFacts, account_keys: pl.Series, due_on: dt.date
) -> pl.DataFrame:
    """TO_POST of some accounts as of the day they are due next."""
    computed = compute_accounts(installation, facts, account_keys, due_on)
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        before = posted.posted_charges(connection, facts.tenant.key, account_keys)
    return reconcile(computed.charges, posted_in_look_back(known, account_keys, before, due_on))
