"""What tenants configured, as known now or as known at any instant."""

import datetime as dt

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from billing_pipeline.books.copy import copy_out, staged
from billing_pipeline.books.schema import ENTRIES, TENANT_DOCUMENTS
from billing_pipeline.books.tables import (
    accounts,
    catalog_entries,
    rate_card_prices,
    service_identifiers,
    subscription_changes,
    subscriptions,
    tenants,
)
from billing_pipeline.books.versions import known_rows
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.customers.schema import (
    ACCOUNTS,
    IDENTIFIERS_OF_TENANTS,
    SERVICE_IDENTIFIERS,
    SUBSCRIPTIONS,
)
from billing_pipeline.mediation.schema import GUIDE
from billing_pipeline.vocabulary.frames import FrameSchema


def tenant_keys(connection: sa.Connection) -> list[str]:
    """Keys of all visible tenants, sorted."""
    return sorted(connection.execute(sa.select(tenants.c.tenant_key)).scalars())


def read_revision(connection: sa.Connection, tenant_key: str) -> int:
    """Number of the revision of the tenant's configuration that was applied last."""
    number = sa.select(tenants.c.revision).where(tenants.c.tenant_key == tenant_key)
    return int(connection.execute(number).scalar_one())


def configuration_stamp(connection: sa.Connection) -> int:
    """A number that is another whenever any tenant's configuration was applied."""
    return int(connection.execute(sa.select(sa.func.configuration_stamp())).scalar_one())


_LOCAL_DAYS = sa.text("""
    select
        tenants.tenant_key,
        (cast(:now as timestamptz) at time zone tenants.time_zone)::date as today,
        tenants.revision || '.' || coalesce(
            (
                select sum(rating_days.rated) from rating_days
                where rating_days.tenant_key = tenants.tenant_key
            ),
            0
        ) as version
    from tenants
    where exists (
        select from subscriptions
        where subscriptions.tenant_key = tenants.tenant_key and subscriptions.known_until is null
    )
""").columns(tenant_key=sa.Text(), today=sa.Date(), version=sa.Text())


def read_local_days(connection: sa.Connection, now: dt.datetime) -> pl.DataFrame:
    """Each tenant with subscriptions, its local day, and a version of its configuration and usage.

    Columns tenant_key, today, version; the version is another one when either has changed.
    """
    bound = _LOCAL_DAYS.bindparams(sa.bindparam("now", now, sa.DateTime(timezone=True)))
    schema = pl.Schema({"tenant_key": pl.String(), "today": pl.Date(), "version": pl.String()})
    return copy_out(connection, sa.select(bound.subquery()), schema).sort("tenant_key")


def read_tenant_documents(connection: sa.Connection) -> pl.DataFrame:
    """The TENANT_DOCUMENTS of all visible tenants, by key."""
    select = sa.select(
        tenants.c.tenant_key,
        tenants.c.parent_key,
        sa.cast(tenants.c.document, sa.Text).label("document"),
    )
    return copy_out(connection, select, TENANT_DOCUMENTS).sort("tenant_key")


def read_entries(
    connection: sa.Connection, tenant_key: str, *, known_at: dt.datetime | None = None
) -> pl.DataFrame:
    """The tenant's ENTRIES as known now or at `known_at`, but for the tenant itself."""
    entries = catalog_entries.c
    select = sa.select(
        entries.kind,
        entries.entry_key,
        _unless(entries.valid_from, "-infinity").label("valid_from"),
        _unless(entries.valid_until, "infinity").label("valid_until"),
        sa.cast(entries.document, sa.Text).label("document"),
    ).where(*known_rows(catalog_entries, tenant_key, known_at), entries.kind != "tenant")
    return copy_out(connection, select, ENTRIES).sort("kind", "entry_key", "valid_from")


def read_accounts(
    connection: sa.Connection, tenant_key: str, *, known_at: dt.datetime | None = None
) -> pl.DataFrame:
    """The tenant's ACCOUNTS as known now or at `known_at`."""
    return _read(connection, accounts, ACCOUNTS, tenant_key, known_at).sort("account_key")


def read_last_known_accounts(
    connection: sa.Connection, tenant_key: str, *, known_at: dt.datetime | None = None
) -> pl.DataFrame:
    """The tenant's ACCOUNTS with those that left it, each as it was known last, by `known_at`."""
    known_from = accounts.c.known_from
    select = (
        sa.select(*(accounts.c[name] for name in ACCOUNTS.names))
        .ext(distinct_on(accounts.c.account_key))
        .where(accounts.c.tenant_key == tenant_key)
        .order_by(accounts.c.account_key, known_from.desc(), accounts.c.revision.desc())
    )
    if known_at is not None:
        select = select.where(known_from <= known_at)
    return copy_out(connection, select, ACCOUNTS).sort("account_key")


def read_subscriptions(
    connection: sa.Connection, tenant_key: str, *, known_at: dt.datetime | None = None
) -> pl.DataFrame:
    """The tenant's SUBSCRIPTIONS as known now or at `known_at`."""
    found = _read(connection, subscriptions, SUBSCRIPTIONS, tenant_key, known_at)
    return found.sort("subscription_key")


def read_service_identifiers(
    connection: sa.Connection, tenant_key: str, *, known_at: dt.datetime | None = None
) -> pl.DataFrame:
    """The tenant's SERVICE_IDENTIFIERS as known now or at `known_at`."""
    found = _read(connection, service_identifiers, SERVICE_IDENTIFIERS, tenant_key, known_at)
    return found.sort("identifier", "valid_from")


def read_rate_card_prices(
    connection: sa.Connection,
    tenant_key: str,
    *,
    known_at: dt.datetime | None = None,
    prefixes: pl.Series | None = None,
) -> pl.DataFrame:
    """The tenant's RATE_CARD_PRICES as known now or at `known_at`, of all prefixes or of some."""
    if prefixes is None:
        found = _read(connection, rate_card_prices, RATE_CARD_PRICES, tenant_key, known_at)
    else:
        columns = [rate_card_prices.c[name] for name in RATE_CARD_PRICES.names]
        select = sa.select(*columns).where(*known_rows(rate_card_prices, tenant_key, known_at))
        with staged(connection, prefixes.unique().to_frame("prefix")) as wanted:
            of_these = rate_card_prices.c.prefix.in_(sa.select(wanted.c.prefix))
            found = copy_out(connection, select.where(of_these), RATE_CARD_PRICES)
    return found.sort("card_key", "prefix", "band", "valid_from")


def read_guide(connection: sa.Connection, owner_tenant_key: str) -> pl.DataFrame:
    """The GUIDE for feeds of the owner: identifiers of its whole subtree.

    A subscription's local days become instants in its tenant's zone, by Postgres' zone data; it
    is served until it ends or is cancelled.
    """
    owned, subscribed = service_identifiers.c, subscriptions.c
    subtree = sa.select(sa.func.tenant_subtree(owner_tenant_key)).scalar_subquery()
    select = (
        sa.select(
            owned.identifier,
            owned.match,
            owned.status,
            owned.tenant_key,
            subscribed.account_key,
            owned.subscription_key,
            owned.valid_from,
            owned.valid_until,
            _local_midnight(subscribed.started_on).label("service_from"),
            _local_midnight(sa.func.least(subscribed.ended_on, _cancelled_on())).label(
                "service_until"
            ),
        )
        .outerjoin(
            subscriptions,
            sa.and_(
                subscribed.tenant_key == owned.tenant_key,
                subscribed.subscription_key == owned.subscription_key,
                subscribed.known_until.is_(None),
            ),
        )
        .join(tenants, tenants.c.tenant_key == owned.tenant_key)
        .where(
            owned.known_until.is_(None),
            owned.tenant_key.in_(subtree),
            sa.or_(owned.status != "assigned", subscribed.subscription_key.is_not(None)),
        )
    )
    return copy_out(connection, select, GUIDE).sort("identifier", "valid_from", "tenant_key")


def read_company_claims(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """What the company's other tenants have that may be at odds with the tenant's identifiers.

    IDENTIFIERS_OF_TENANTS: their prefixes and ranges, and what is written as the tenant writes it.
    """
    owned = service_identifiers.c
    lineage = sa.select(sa.func.tenant_lineage(tenant_key).column_valued("tenant_key"))
    root = sa.select(tenants.c.tenant_key).where(
        tenants.c.parent_key.is_(None), tenants.c.tenant_key.in_(lineage)
    )
    company = sa.select(sa.func.tenant_subtree(root.scalar_subquery())).scalar_subquery()
    select = sa.select(
        owned.tenant_key, *(owned[name] for name in SERVICE_IDENTIFIERS.names)
    ).where(
        owned.known_until.is_(None),
        sa.or_(owned.match != "exact", owned.identifier.in_(_known_identifiers(tenant_key))),
        owned.tenant_key != tenant_key,
        owned.tenant_key.in_(company),
    )
    return copy_out(connection, select, IDENTIFIERS_OF_TENANTS).sort("tenant_key", "identifier")


def _known_identifiers(tenant_key: str) -> sa.Select[str]:
    mine = service_identifiers.alias("mine").c
    return sa.select(mine.identifier).where(
        mine.known_until.is_(None), mine.tenant_key == tenant_key
    )


def _read(
    connection: sa.Connection,
    table: sa.Table,
    schema: FrameSchema,
    tenant_key: str,
    known_at: dt.datetime | None,
) -> pl.DataFrame:
    columns = [table.c[name] for name in schema.names]
    select = sa.select(*columns).where(*known_rows(table, tenant_key, known_at))
    return copy_out(connection, select, schema)


def _cancelled_on() -> sa.ScalarSelect[dt.date]:
    """The first day from which a subscription is cancelled, null if it is not."""
    changed, subscribed = subscription_changes.c, subscriptions.c
    return (
        sa.select(sa.func.min(changed.effective_on))
        .where(
            changed.tenant_key == subscribed.tenant_key,
            changed.subscription_key == subscribed.subscription_key,
            changed.status == "cancelled",
            changed.known_until.is_(None),
        )
        .scalar_subquery()
    )


def _local_midnight(day: sa.ColumnElement[dt.date]) -> sa.ColumnElement[dt.datetime]:
    return sa.func.timezone(tenants.c.time_zone, sa.cast(day, sa.DateTime))


def _unless(day: sa.ColumnElement[dt.date], infinity: str) -> sa.ColumnElement[dt.date]:
    return sa.func.nullif(day, sa.cast(sa.literal(infinity, sa.Text), sa.Date))
