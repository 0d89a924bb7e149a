"""What one tenant's stages need to know, read from the books at once."""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from billing_pipeline.accounting.chart import with_category_rules
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.books import catalog as stored
from billing_pipeline.books.scope import lock_revisions, tenant_scope
from billing_pipeline.books.subscription_terms import SubscriptionTerms, read_subscription_terms
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.entries import catalog_from_entries, feeds_from_entries
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.catalog.inheritance import with_inherited, with_inherited_rows
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.latest import Latest


@dataclass(frozen=True)
class TenantFacts:
    """A tenant, what it sells, and to whom. Rate-card rows are many and read apart."""

    tenant: Tenant
    revision: int
    catalog: Catalog
    accounts: pl.DataFrame
    subscriptions: pl.DataFrame
    terms: SubscriptionTerms


_LATEST = Latest[TenantFacts]()


def read_tenant(installation: Installation, tenant_key: str) -> Tenant:
    """The tenant as last applied.

    Raises: LookupError if no such tenant was applied.
    """
    with tenant_scope(installation.engine, tenant_key) as connection:
        documents = stored.read_tenant_documents(connection)
    document = documents.filter(pl.col("tenant_key") == tenant_key)
    if document.is_empty():
        raise LookupError(f"no tenant {tenant_key!r}; apply its folder: billing catalog apply DIR")
    return Tenant.model_validate_json(document.item(0, "document"))


def read_facts(
    installation: Installation, tenant_key: str, *, known_at: dt.datetime | None = None
) -> TenantFacts:
    """Everything configured for a tenant, as known now or at an earlier instant.

    The catalog is what it sells: with what it inherits of the tenants above it. What was read
    last is kept until a configuration is applied.
    """
    if known_at is not None:
        return read_facts_anew(installation, tenant_key, known_at=known_at)
    with tenant_scope(installation.engine, tenant_key) as connection:
        stamp = stored.configuration_stamp(connection)
    key = (installation.books_url, tenant_key, stamp)
    return _LATEST.of(key, lambda: read_facts_anew(installation, tenant_key))


def read_facts_anew(
    installation: Installation, tenant_key: str, *, known_at: dt.datetime | None = None
) -> TenantFacts:
    """The same, read again: what controls look at, whoever changed the books meanwhile."""
    tenant = read_tenant(installation, tenant_key)
    above = _catalog_above(installation, tenant, known_at)
    with tenant_scope(installation.engine, tenant_key) as connection:
        # Two revisions must not mix: whoever applies one waits until these are read.
        lock_revisions(connection)
        entries = stored.read_entries(connection, tenant_key, known_at=known_at)
        sells = _sold(catalog_from_entries(entries), above)
        return TenantFacts(
            tenant=with_category_rules(tenant, sells),
            revision=stored.read_revision(connection, tenant_key),
            catalog=sells,
            accounts=stored.read_accounts(connection, tenant_key, known_at=known_at),
            subscriptions=stored.read_subscriptions(connection, tenant_key, known_at=known_at),
            terms=read_subscription_terms(connection, tenant_key, known_at=known_at),
        )


def billing_facts(facts: TenantFacts, rated_usage: pl.LazyFrame) -> BillingFacts:
    """The facts billing is a function of."""
    return BillingFacts(
        tenant=facts.tenant,
        catalog=facts.catalog,
        accounts=facts.accounts,
        subscriptions=facts.subscriptions,
        rated_usage=rated_usage,
        subscription_changes=facts.terms.changes,
        subscription_discounts=facts.terms.discounts,
        agreed_prices=facts.terms.agreed_prices,
    )


def read_rate_cards(
    installation: Installation,
    tenant_key: str,
    *,
    known_at: dt.datetime | None = None,
    prefixes: pl.Series | None = None,
) -> pl.DataFrame:
    """The RATE_CARD_PRICES a tenant sells by, as known now or at an earlier instant.

    `prefixes` are those of interest; all are if none are given.
    """
    tenant = read_tenant(installation, tenant_key)
    with tenant_scope(installation.engine, tenant_key) as connection:
        own = stored.read_rate_card_prices(
            connection, tenant_key, known_at=known_at, prefixes=prefixes
        )
        entries = stored.read_entries(connection, tenant_key, known_at=known_at)
    if not tenant.inherits_catalog or tenant.parent is None:
        return own
    above = read_rate_cards(installation, tenant.parent, known_at=known_at, prefixes=prefixes)
    return with_inherited_rows(own, above, catalog_from_entries(entries))


def _catalog_above(
    installation: Installation, tenant: Tenant, known_at: dt.datetime | None
) -> Catalog | None:
    if not tenant.inherits_catalog or tenant.parent is None:
        return None
    parent = read_tenant(installation, tenant.parent)
    above = _catalog_above(installation, parent, known_at)
    with tenant_scope(installation.engine, parent.key) as connection:
        entries = stored.read_entries(connection, parent.key, known_at=known_at)
    return _sold(catalog_from_entries(entries), above)


def _sold(own: Catalog, above: Catalog | None) -> Catalog:
    return own if above is None else with_inherited(own, above)


def read_feeds(
    installation: Installation, tenant_key: str, *, known_at: dt.datetime | None = None
) -> tuple[Feed, ...]:
    """The feeds a tenant reads, as known now or at an earlier instant."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        return feeds_from_entries(stored.read_entries(connection, tenant_key, known_at=known_at))
