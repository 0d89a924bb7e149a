"""Applying a tenant's configuration: compare with what is known, then one revision or none."""

import datetime as dt
from dataclasses import dataclass, field

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books import versions
from billing_pipeline.books.audit import log_decision
from billing_pipeline.books.schema import ENTRIES, REVISION_CHANGES
from billing_pipeline.books.tables import catalog_revisions, subscriptions, tenants
from billing_pipeline.books.versions import staged_versions
from billing_pipeline.customers.schema import (
    AGREED_PRICES,
    SUBSCRIPTION_CHANGES,
    SUBSCRIPTION_DISCOUNTS,
)
from billing_pipeline.customers.tenant import Tenant

TENANT_KIND = "tenant"

_WORK_MEMORY = "128MB"


class RevisionRefused(Exception):
    """A revision cannot be applied as asked; nothing was changed."""


@dataclass(frozen=True)
class TenantRows:
    """All that a tenant folder configures, as rows. What is missing here is removed by applying.

    `entries` is an ENTRIES frame; `tenant_document` is the Tenant as JSON.
    """

    tenant_document: str
    tenant_key: str
    parent_key: str | None
    entries: pl.DataFrame
    accounts: pl.DataFrame
    subscriptions: pl.DataFrame
    service_identifiers: pl.DataFrame
    rate_card_prices: pl.DataFrame
    subscription_changes: pl.DataFrame = field(default_factory=SUBSCRIPTION_CHANGES.empty)
    subscription_discounts: pl.DataFrame = field(default_factory=SUBSCRIPTION_DISCOUNTS.empty)
    agreed_prices: pl.DataFrame = field(default_factory=AGREED_PRICES.empty)


@dataclass(frozen=True)
class RevisionPlan:
    """What applying would change: a REVISION_CHANGES frame and views of it."""

    tenant_key: str
    changes: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """Whether the books already say the same."""
        return self.changes.is_empty()

    @property
    def added(self) -> dict[str, list[str]]:
        """Keys of new rows per kind."""
        return self._keys("added")

    @property
    def changed(self) -> dict[str, list[str]]:
        """Keys of rows with other content per kind."""
        return self._keys("changed")

    @property
    def removed(self) -> dict[str, list[str]]:
        """Keys of rows that are gone per kind."""
        return self._keys("removed")

    def count(self, change: str) -> int:
        """Number of rows added, changed or removed."""
        return self.changes.filter(pl.col("change") == change).height

    def _keys(self, change: str) -> dict[str, list[str]]:
        grouped = (
            self.changes.filter(pl.col("change") == change)
            .group_by("kind", maintain_order=True)
            .agg("key")
        )
        kinds, keys = grouped.get_column("kind"), grouped.get_column("key")
        return dict(zip(kinds.to_list(), keys.to_list(), strict=True))


def plan_revision(connection: sa.Connection, rows: TenantRows) -> RevisionPlan:
    """What applying `rows` would add, change and remove; changes nothing."""
    with staged_versions(connection, _frames(rows)) as incoming:
        return _plan(connection, rows.tenant_key, incoming)


def apply_revision(
    connection: sa.Connection, rows: TenantRows, *, applied_at: dt.datetime, applied_by: str
) -> RevisionPlan:
    """Make `rows` what the books know of the tenant from `applied_at` on.

    Nothing changed means no new revision. Rules across rows (overlaps, one owner per identifier)
    are proved when the caller commits.
    Raises: RevisionRefused if something later is known already, or if a subscription would move
    to another account.
    """
    _wait_for_other_revisions(connection)
    _work_in_memory(connection)
    with staged_versions(connection, _frames(rows)) as incoming:
        plan = _plan(connection, rows.tenant_key, incoming)
        if plan.is_empty:
            return plan
        _refuse_moves(connection, rows.tenant_key, incoming)
        revision = _next_revision(connection, rows.tenant_key, applied_at)
        _keep_tenant(connection, rows, revision)
        connection.execute(
            sa.insert(catalog_revisions).values(
                tenant_key=rows.tenant_key,
                revision=revision,
                applied_at=applied_at,
                applied_by=applied_by,
                added=plan.count("added"),
                changed=plan.count("changed"),
                removed=plan.count("removed"),
            )
        )
        for version in incoming:
            versions.replace_known(connection, version, rows.tenant_key, revision, applied_at)
        log_decision(
            connection,
            rows.tenant_key,
            actor=applied_by,
            action="applied",
            subject=f"revision {revision}",
        )
    return plan


def _plan(
    connection: sa.Connection, tenant_key: str, incoming: list[versions.Incoming]
) -> RevisionPlan:
    changes = [versions.read_changes(connection, version, tenant_key) for version in incoming]
    return RevisionPlan(
        tenant_key, REVISION_CHANGES.conform(pl.concat(changes).sort("kind", "key", "change"))
    )


def _frames(rows: TenantRows) -> dict[str, pl.DataFrame]:
    tenant = pl.DataFrame(
        {
            "kind": [TENANT_KIND],
            "entry_key": [rows.tenant_key],
            "valid_from": [None],
            "valid_until": [None],
            "document": [rows.tenant_document],
        },
        schema=ENTRIES.polars_schema,
    )
    return {
        "catalog_entries": pl.concat([tenant, rows.entries.select(ENTRIES.names)]),
        "accounts": rows.accounts,
        "subscriptions": rows.subscriptions,
        "service_identifiers": rows.service_identifiers,
        "subscription_changes": rows.subscription_changes,
        "subscription_discounts": rows.subscription_discounts,
        "agreed_prices": rows.agreed_prices,
        "rate_card_prices": rows.rate_card_prices,
    }


def _refuse_moves(
    connection: sa.Connection, tenant_key: str, incoming: list[versions.Incoming]
) -> None:
    """What was charged for a subscription stands with its account: it cannot move to another."""
    for version in (one for one in incoming if one.table is subscriptions):
        mine, given = subscriptions.c, version.rows.c
        moved = connection.execute(
            sa.select(mine.subscription_key, mine.account_key, given.account_key)
            .join(
                version.rows,
                sa.and_(
                    mine.subscription_key == given.subscription_key,
                    mine.account_key != given.account_key,
                ),
            )
            .where(mine.tenant_key == tenant_key)
            .limit(1)
        ).first()
        if moved:
            key, old, new = moved
            raise RevisionRefused(
                f"subscription {key} of {tenant_key} belongs to account {old} and cannot move to "
                f"{new}; end it with ended_on and add another subscription"
            )


def _wait_for_other_revisions(connection: sa.Connection) -> None:
    # One at a time: identifiers are unique across tenants, which no row lock can guard.
    connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('revision'))"))


def _work_in_memory(connection: sa.Connection) -> None:
    # A whole deck is compared with a whole deck: hashes of 300,000 rows do not fit in 4 MB.
    connection.execute(sa.text(f"set local work_mem = '{_WORK_MEMORY}'"))


def _next_revision(connection: sa.Connection, tenant_key: str, applied_at: dt.datetime) -> int:
    latest = sa.select(
        sa.func.coalesce(sa.func.max(catalog_revisions.c.revision), 0),
        sa.func.max(catalog_revisions.c.applied_at),
    ).where(catalog_revisions.c.tenant_key == tenant_key)
    revision, known_at = connection.execute(latest).one()
    if known_at is not None and known_at > applied_at:
        raise RevisionRefused(
            f"revision {revision} of {tenant_key} was applied at {known_at}, "
            f"after {applied_at}: what was known then cannot be changed"
        )
    return int(revision) + 1


def _keep_tenant(connection: sa.Connection, rows: TenantRows, revision: int) -> None:
    tenant = Tenant.model_validate_json(rows.tenant_document)
    values = {
        "parent_key": rows.parent_key,
        "name": tenant.name,
        "kind": tenant.kind,
        "currency": tenant.currency,
        "time_zone": tenant.time_zone,
        "bill_hour": tenant.bill_hour,
        "document": sa.cast(sa.literal(rows.tenant_document, sa.Text), tenants.c.document.type),
        "revision": revision,
    }
    known = sa.select(sa.literal(1)).where(tenants.c.tenant_key == rows.tenant_key)
    if connection.execute(known).first():
        connection.execute(
            sa.update(tenants).where(tenants.c.tenant_key == rows.tenant_key).values(values)
        )
    else:
        connection.execute(sa.insert(tenants).values(tenant_key=rows.tenant_key, **values))
