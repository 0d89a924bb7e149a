"""What a new revision makes stale: days whose owners or prices are not what they were."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from billing_pipeline.books.newcomers import is_first_of_its_key, touch_days_waiting_for
from billing_pipeline.books.tables import (
    accounts,
    catalog_entries,
    rate_card_prices,
    rating_days,
    service_identifiers,
    subscription_changes,
    subscriptions,
    usage_days,
)

# Local days and UTC days differ by less than one.
_ZONES = dt.timedelta(days=1)
_PRICED_KINDS = ("price", "negotiated_price", "rate_card")


def mark_changed_days_stale(
    connection: sa.Connection, tenant_key: str, applied_at: dt.datetime
) -> None:
    """Have days mediated and rated again from where the revision applied at an instant differs.

    Identifiers, subscriptions and their changes decide who owns an event, so the days of every
    feed owner above the tenant are mediated again; prices and rate cards decide what it costs, so
    the days of the tenant and of those below it are rated again. Days before the first change
    stay as they are. Of an identifier nobody ever had, only the days on which it waits in
    suspense are mediated again. In another zone every event may be of another local day; an account
    of another type, parent or currency may have other prices.
    """
    lineage = sa.select(sa.func.tenant_lineage(tenant_key).column_valued("tenant_key"))
    touch_days_waiting_for(connection, tenant_key, applied_at)
    owned_from = _earliest(
        connection,
        tenant_key,
        applied_at,
        (service_identifiers, sa.cast(service_identifiers.c.valid_from, sa.Date)),
        (subscriptions, subscriptions.c.started_on),
        (subscription_changes, subscription_changes.c.effective_on),
    )
    if owned_from is not None:
        _touch_from(connection, usage_days, usage_days.c.tenant_key.in_(lineage), owned_from)
    priced_from = _earliest(
        connection,
        tenant_key,
        applied_at,
        (catalog_entries, catalog_entries.c.valid_from),
        (rate_card_prices, rate_card_prices.c.valid_from),
        (subscriptions, subscriptions.c.started_on),
        (subscription_changes, subscription_changes.c.effective_on),
    )
    if _zone_changed(connection, tenant_key, applied_at):
        priced_from = dt.date.min
    moved_from = _accounts_moved_from(connection, tenant_key, applied_at)
    priced_from = min((day for day in (priced_from, moved_from) if day is not None), default=None)
    if priced_from is not None:
        # Tenants below may sell what this one sells.
        subtree = sa.select(sa.func.tenant_subtree(tenant_key).column_valued("tenant_key"))
        _touch_from(connection, rating_days, rating_days.c.tenant_key.in_(subtree), priced_from)


def touch_known_usage_days(
    connection: sa.Connection, tenant_key: str, days: Sequence[dt.date]
) -> None:
    """Make usage days stale that a tenant, or a tenant above it, has files of."""
    lineage = sa.select(sa.func.tenant_lineage(tenant_key).column_valued("tenant_key"))
    connection.execute(
        sa.update(usage_days)
        .where(
            usage_days.c.tenant_key.in_(lineage),
            usage_days.c.usage_day.in_(days),
            usage_days.c.masked_at.is_(None),
        )
        .values(touched=usage_days.c.touched + 1, changed_at=sa.func.clock_timestamp())
    )


def _accounts_moved_from(
    connection: sa.Connection, tenant_key: str, applied_at: dt.datetime
) -> dt.date | None:
    """The first day of the accounts whose place among agreements and cycles is another now."""
    before, after = accounts.alias("before"), accounts.alias("after")
    moved = sa.or_(
        *(
            before.c[name].is_distinct_from(after.c[name])
            for name in ("account_type", "parent_key", "currency", "payer_key", "opened_on")
        )
    )
    same = sa.and_(
        before.c.tenant_key == after.c.tenant_key, before.c.account_key == after.c.account_key
    )
    first: dt.date | None = connection.execute(
        sa.select(sa.func.min(sa.func.least(before.c.opened_on, after.c.opened_on)))
        .select_from(before.join(after, same))
        .where(
            before.c.tenant_key == tenant_key,
            before.c.known_until == applied_at,
            after.c.known_from == applied_at,
            moved,
        )
    ).scalar_one()
    return first


def _zone_changed(connection: sa.Connection, tenant_key: str, applied_at: dt.datetime) -> bool:
    entries = catalog_entries.c
    zones = sa.select(sa.func.count(sa.distinct(entries.document["time_zone"].astext))).where(
        entries.tenant_key == tenant_key,
        entries.kind == "tenant",
        (entries.known_from == applied_at) | (entries.known_until == applied_at),
    )
    return bool(connection.execute(zones).scalar_one() > 1)


def _earliest(
    connection: sa.Connection,
    tenant_key: str,
    applied_at: dt.datetime,
    *dated: tuple[sa.Table, sa.ColumnElement[dt.date]],
) -> dt.date | None:
    """The first day from which any row that came or went with the revision holds."""
    days = []
    for table, valid_from in dated:
        changed = sa.select(sa.func.min(valid_from)).where(
            table.c.tenant_key == tenant_key,
            (table.c.known_from == applied_at) | (table.c.known_until == applied_at),
        )
        if table is catalog_entries:
            changed = changed.where(table.c.kind.in_(_PRICED_KINDS))
        if table in (service_identifiers, subscriptions):
            changed = changed.where(~is_first_of_its_key(connection, tenant_key, table, applied_at))
        days.append(connection.execute(changed).scalar_one())
    return min((day for day in days if day is not None), default=None)


def _touch_from(
    connection: sa.Connection,
    table: sa.Table,
    whose: sa.ColumnElement[bool],
    first_day: dt.date,
) -> None:
    # A first day before history begins is no day of a calendar to subtract from.
    since = first_day - _ZONES if first_day > dt.date.min else first_day
    connection.execute(
        sa.update(table)
        .where(whose, table.c.usage_day >= since, table.c.masked_at.is_(None))
        .values(touched=table.c.touched + 1, changed_at=sa.func.clock_timestamp())
    )
