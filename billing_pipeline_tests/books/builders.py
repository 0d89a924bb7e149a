"""Small rows for tests of the books: every argument has a plain default."""

import datetime as dt
from decimal import Decimal

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.revisions import RevisionPlan, TenantRows, apply_revision
from billing_pipeline.books.schema import ENTRIES
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.customers.schema import ACCOUNTS, SERVICE_IDENTIFIERS, SUBSCRIPTIONS
from billing_pipeline.customers.tenant import LedgerAccounts, LegalEntity, Tenant
from billing_pipeline.vocabulary.frames import FrameSchema

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
BILL_DAY = dt.date(2026, 2, 1)

Values = dict[str, object]


def frame(schema: FrameSchema, *rows: Values) -> pl.DataFrame:
    """Rows of a frame; what a row leaves out is null."""
    if not rows:
        return schema.empty()
    whole = [{name: row.get(name) for name in schema.names} for row in rows]
    return pl.DataFrame(whole, schema=schema.polars_schema)


def tenant_document(key: str, *, time_zone: str = "Europe/Berlin", bill_hour: int = 2) -> str:
    return Tenant(
        key=key,
        name=f"{key} Ltd",
        legal_entity=LegalEntity(
            name=f"{key} Ltd",
            street="1 Road",
            city="Town",
            postal_code="1",
            country="DE",
            email="billing@example.com",
        ),
        currency="EUR",
        time_zone=time_zone,
        bill_hour=bill_hour,
        ledger_accounts=LedgerAccounts(receivable="1400", revenue="8400", tax="1776"),
    ).model_dump_json()


def entry(key: str, document: str = "{}", **values: object) -> Values:
    return {"kind": "product", "entry_key": key, "document": document, **values}


def account(key: str, **values: object) -> Values:
    plain: Values = {
        "account_key": key,
        "name": "Someone",
        "account_type": "business",
        "payer_key": key,
        "currency": "EUR",
        "opened_on": dt.date(2026, 1, 1),
        "payment_terms_days": 14,
        "language": "en_GB",
        "street": "",
        "city": "Town",
        "postal_code": "1",
        "country": "DE",
    }
    return plain | values


def subscription(key: str, **values: object) -> Values:
    plain: Values = {
        "subscription_key": key,
        "account_key": "A1",
        "plan_key": "basic",
        "quantity": Decimal(1),
        "started_on": dt.date(2026, 1, 1),
    }
    return plain | values


def identifier(name: str, owner: str = "S1", **values: object) -> Values:
    plain: Values = {
        "identifier": name,
        "subscription_key": owner,
        "valid_from": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    }
    return plain | values


def rate(prefix: str, **values: object) -> Values:
    plain: Values = {
        "card_key": "retail",
        "valid_from": dt.date(2026, 1, 1),
        "prefix": prefix,
        "band": "",
        "name": "Somewhere",
        "unit_price": Decimal("0.05"),
        "connection_fee": Decimal(0),
        "minimum_units": Decimal(0),
        "increment_units": Decimal(1),
    }
    return plain | values


def tenant_rows(  # noqa: PLR0913 - one argument per kind of row
    key: str = "acme",
    *,
    parent: str | None = None,
    document: str | None = None,
    entries: tuple[Values, ...] = (),
    accounts: tuple[Values, ...] = (),
    subscriptions: tuple[Values, ...] = (),
    identifiers: tuple[Values, ...] = (),
    rates: tuple[Values, ...] = (),
) -> TenantRows:
    return TenantRows(
        tenant_document=document or tenant_document(key),
        tenant_key=key,
        parent_key=parent,
        entries=frame(ENTRIES, *entries),
        accounts=frame(ACCOUNTS, *accounts),
        subscriptions=frame(SUBSCRIPTIONS, *subscriptions),
        service_identifiers=frame(SERVICE_IDENTIFIERS, *identifiers),
        rate_card_prices=frame(RATE_CARD_PRICES, *rates),
    )


def apply(engine: sa.Engine, *tenants: TenantRows, at: dt.datetime = NOON) -> list[RevisionPlan]:
    """Apply tenants in one transaction."""
    with installation_scope(engine) as connection:
        return [
            apply_revision(connection, rows, applied_at=at, applied_by="test") for rows in tenants
        ]


def company(engine: sa.Engine) -> None:
    """A company with two brands, one of which has a reseller below it; and a stranger."""
    apply(
        engine,
        tenant_rows("company"),
        tenant_rows("brand-a", parent="company"),
        tenant_rows("brand-b", parent="company"),
        tenant_rows("reseller", parent="brand-a"),
        tenant_rows("stranger"),
    )
