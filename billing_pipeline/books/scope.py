"""Whose rows a transaction may see: one tenant with those below it, or the whole installation."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

Connection = sa.Connection
Engine = sa.Engine


# `set local role`, and the tenant it is for, in one round trip.
_BE_TENANT = sa.text(
    "select set_config('role', 'billing_app', true), "
    "set_config('billing.tenant', :tenant_key, true)"
)


class UnknownTenant(Exception):
    """There is no tenant with this key in the books."""


@contextmanager
def tenant_scope(engine: sa.Engine, tenant_key: str) -> Iterator[sa.Connection]:
    """Begin a transaction that sees the tenant and its subtree and nothing else.

    Commits at the end, rolls back on any exception.
    Raises: UnknownTenant.
    """
    with engine.begin() as connection:
        connection.execute(_BE_TENANT, {"tenant_key": tenant_key})
        known = sa.text("select exists (select from tenants where tenant_key = :tenant_key)")
        if not connection.execute(known, {"tenant_key": tenant_key}).scalar_one():
            raise UnknownTenant(f"no tenant {tenant_key!r} has been applied")
        yield connection


@contextmanager
def installation_scope(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Begin a transaction that sees all tenants: for sensors, schedules and operators.

    Commits at the end, rolls back on any exception.
    """
    with engine.begin() as connection:
        connection.execute(sa.text("set local role billing_operator"))
        yield connection


def lock_revisions(connection: sa.Connection) -> None:
    """Keep revisions from being applied until the end of the transaction; readers go together."""
    connection.execute(sa.text("select pg_advisory_xact_lock_shared(hashtext('revision'))"))


def lock_tenant(connection: sa.Connection, tenant_key: str) -> None:
    """Wait until no other transaction bills this tenant, and keep others waiting until the end."""
    connection.execute(
        sa.text("select pg_advisory_xact_lock(hashtextextended(:tenant_key, 2))"),
        {"tenant_key": tenant_key},
    )
