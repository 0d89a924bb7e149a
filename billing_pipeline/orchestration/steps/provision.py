"""Emit what changed about a tenant's subscriptions, once."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.provisioning import events_to_emit, subscription_transitions
from billing_pipeline.books import provisioning
from billing_pipeline.books.scope import lock_tenant, tenant_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import TenantFacts, billing_facts
from billing_pipeline.rating.schema import RATED_USAGE


def emit_provisioning(
    installation: Installation, facts: TenantFacts, through: dt.date, now: dt.datetime
) -> pl.DataFrame:
    """Put every change up to a local day that is not in the outbox there; return what was new."""
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    transitions = subscription_transitions(known, through)
    tenant_key = facts.tenant.key
    with tenant_scope(installation.engine, tenant_key) as connection:
        # Two runs must not find the same change.
        lock_tenant(connection, tenant_key)
        new = events_to_emit(
            transitions, provisioning.emitted_events(connection, tenant_key), through
        )
        provisioning.emit(connection, tenant_key, new, now)
    return new
