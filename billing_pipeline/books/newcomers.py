"""Identifiers and subscriptions nobody ever had: they change nothing but what waits for them."""

import datetime as dt

import sqlalchemy as sa

from billing_pipeline.books.tables import (
    service_identifiers,
    suspense_states,
    usage_days,
)


def is_first_of_its_key(
    connection: sa.Connection, tenant_key: str, table: sa.Table, applied_at: dt.datetime
) -> sa.ColumnElement[bool]:
    """Whether a row of identifiers or subscriptions is the first there ever was of its key.

    Where a company owns identifiers by prefix or range, a new one may take events from another:
    none counts as a first there.
    """
    if table is service_identifiers and _has_patterns(connection, tenant_key):
        return sa.false()
    earlier = table.alias("earlier")
    same = (
        [earlier.c.identifier == table.c.identifier]
        if table is service_identifiers
        else [
            earlier.c.tenant_key == table.c.tenant_key,
            earlier.c.subscription_key == table.c.subscription_key,
        ]
    )
    return sa.and_(
        table.c.known_from == applied_at,
        ~sa.exists().where(*same, earlier.c.known_from < applied_at),
    )


def touch_days_waiting_for(
    connection: sa.Connection, tenant_key: str, applied_at: dt.datetime
) -> None:
    """Have the days mediated again on which identifiers that are new wait in suspense."""
    lineage = sa.select(sa.func.tenant_lineage(tenant_key).column_valued("tenant_key"))
    new = sa.select(service_identifiers.c.identifier).where(
        service_identifiers.c.tenant_key == tenant_key,
        service_identifiers.c.known_from == applied_at,
    )
    waiting = sa.exists().where(
        suspense_states.c.tenant_key == usage_days.c.tenant_key,
        suspense_states.c.stage == "mediate",
        suspense_states.c.state == "open",
        suspense_states.c.partition_day == usage_days.c.usage_day,
        suspense_states.c.service_identifier.in_(new),
    )
    connection.execute(
        sa.update(usage_days)
        .where(usage_days.c.tenant_key.in_(lineage), waiting, usage_days.c.masked_at.is_(None))
        .values(touched=usage_days.c.touched + 1, changed_at=sa.func.clock_timestamp())
    )


def _has_patterns(connection: sa.Connection, tenant_key: str) -> bool:
    """Whether any tenant above or below owns, or owned, identifiers by prefix or range."""
    related = sa.select(sa.func.tenant_lineage(tenant_key).column_valued("tenant_key")).union(
        sa.select(sa.func.tenant_subtree(tenant_key).column_valued("tenant_key"))
    )
    patterns = sa.select(sa.literal(1)).where(
        service_identifiers.c.tenant_key.in_(related), service_identifiers.c.match != "exact"
    )
    return connection.execute(patterns.limit(1)).first() is not None
