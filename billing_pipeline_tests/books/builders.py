"""Small rows for tests of the books: every argument has a plain default."""

import datetime as dt
from decimal import Decimal

import polars as pl
import sqlalchemy as sa

from billing_pipeline.accounting.schema import JOURNAL_ENTRIES, POSTINGS
from billing_pipeline.books.charges import post_charges
from billing_pipeline.books.files import (
    register_uploads,
    unloaded_files,
)
from billing_pipeline.books.invoices import allot_numbers, issue_documents
from billing_pipeline.books.journal import book
from billing_pipeline.books.loading import record_archived, record_loaded
from billing_pipeline.books.revisions import RevisionPlan, TenantRows, apply_revision
from billing_pipeline.books.schema import ENTRIES, ISSUED_INVOICES
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.books.usage_schema import ARCHIVED_FILES, FILE_DAYS, LOADED_FILES
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.customers.schema import ACCOUNTS, SERVICE_IDENTIFIERS, SUBSCRIPTIONS
from billing_pipeline.customers.tenant import LedgerAccounts, LegalEntity, Tenant
from billing_pipeline.invoicing.schema import INVOICE_LINES, INVOICE_TAXES
from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
BILL_DAY = dt.date(2026, 2, 1)

Values = dict[str, object]


def frame(schema: FrameSchema, *rows: Values) -> pl.DataFrame:
    """Rows of a frame; what a row leaves out is null."""
    if not rows:
        return schema.empty()
    whole = [{name: row.get(name) for name in schema.names} for row in rows]
    return pl.DataFrame(whole, schema=schema.polars_schema)


def whole(schema: FrameSchema, rows: pl.DataFrame) -> pl.DataFrame:
    """All columns of the schema in order; those that `rows` lacks are null."""
    missing = {
        name: pl.lit(None, dtype)
        for name, dtype in schema.polars_schema.items()
        if name not in rows.columns
    }
    return rows.with_columns(**missing).select(schema.names)


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
        "match": "exact",
        "status": "assigned",
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


Drafts = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


def invoice(number: int, *, bill_day: dt.date = BILL_DAY, **values: object) -> Values:
    """20.00 net and 3.80 tax for account A<number>."""
    plain: Values = {
        "invoice_key": f"A{number}/{bill_day}/invoice",
        "document_kind": "invoice",
        "account_key": f"A{number}",
        "bill_day": bill_day,
        "due_date": bill_day + dt.timedelta(days=14),
        "period_from": dt.date(2026, 1, 1),
        "period_until": dt.date(2026, 2, 1),
        "currency": "EUR",
        "net_minor": 2000,
        "tax_minor": 380,
        "total_minor": 2380,
        "invoice_number": f"INV-{number}",
        "series": "invoice",
        "issued_at": NOON,
    }
    return plain | values


def line(number: int, *, bill_day: dt.date = BILL_DAY, **values: object) -> Values:
    plain: Values = {
        "invoice_key": f"A{number}/{bill_day}/invoice",
        "line_number": 1,
        "charge_key": f"S{number}/monthly/recurring/2026-01-01",
        "posting_number": 1,
        "account_key": f"A{number}",
        "subscription_key": f"S{number}",
        "product_key": "line",
        "price_key": "monthly",
        "charge_kind": "recurring",
        "description": "A line, monthly",
        "service_from": dt.date(2026, 1, 1),
        "service_until": dt.date(2026, 2, 1),
        "quantity": Decimal(1),
        "unit": "month",
        "unit_price": Decimal(20),
        "net_minor": 2000,
        "currency": "EUR",
        "tax_category": "standard",
        "tax_code": "S",
        "tax_rate": Decimal(19),
        "events": 0,
    }
    return plain | values


def tax(number: int, *, bill_day: dt.date = BILL_DAY) -> Values:
    return {
        "invoice_key": f"A{number}/{bill_day}/invoice",
        "tax_code": "S",
        "tax_rate": Decimal(19),
        "tax_label": "VAT",
        "base_minor": 2000,
        "tax_minor": 380,
    }


def drafts(*numbers: int, bill_day: dt.date = BILL_DAY) -> Drafts:
    """One invoice of one line for each of the numbered accounts."""
    return (
        frame(ISSUED_INVOICES, *(invoice(number, bill_day=bill_day) for number in numbers)),
        frame(INVOICE_LINES, *(line(number, bill_day=bill_day) for number in numbers)),
        frame(INVOICE_TAXES, *(tax(number, bill_day=bill_day) for number in numbers)),
    )


def issue_drafts(engine: sa.Engine, given: Drafts, *, allotted: int) -> None:
    with tenant_scope(engine, "acme") as connection:
        allot_numbers(connection, "acme", "invoice", BILL_DAY.year, allotted)
        issue_documents(connection, "acme", *given)


def issue(engine: sa.Engine, *numbers: int) -> None:
    """Issue documents with these numbers, which must be the next ones."""
    issue_drafts(engine, drafts(*numbers), allotted=len(numbers))


def load_file(engine: sa.Engine, owner: str, usage_day: dt.date, quantity: Decimal) -> None:
    """Register and load one file of one record."""
    upload = pl.DataFrame(
        {
            "tenant_key": [owner],
            "feed_key": ["cdr"],
            "url": ["file:///landing/a"],
            "name": ["a"],
            "size_bytes": [10],
            "etag": ["1"],
            "landed_at": [NOON],
        },
        schema_overrides={"landed_at": UTC_INSTANT},
    )
    with installation_scope(engine) as connection:
        register_uploads(connection, upload, NOON.date())
        file_id = unloaded_files(connection, None, 1).item(0, "file_id")
        archive_file(connection, owner, file_id, "key of a")
        load_registered(connection, owner, file_id, usage_day, quantity=quantity)


def archive_file(
    connection: sa.Connection, owner: str, file_id: int, file_key: str
) -> tuple[bool, bool]:
    """Note one archived file: whether its content came before, whether its name is taken."""
    archived = pl.DataFrame(
        [(file_id, file_key, f"x/{file_key}")],
        schema=ARCHIVED_FILES.polars_schema,
        orient="row",
    )
    _, is_duplicate, is_name_taken = record_archived(connection, owner, archived).row(0)
    return is_duplicate, is_name_taken


def load_registered(
    connection: sa.Connection,
    owner: str,
    file_id: int,
    *usage_days: dt.date,
    quantity: Decimal = Decimal(60),
) -> None:
    """Note that a registered file was loaded, with one record of each usage day."""
    count = len(usage_days)
    loaded = pl.DataFrame(
        [(file_id, count, count, 0, 0, quantity, quantity, None)],
        schema=LOADED_FILES.polars_schema,
        orient="row",
    )
    days = pl.DataFrame(
        [(file_id, day, 1) for day in usage_days], schema=FILE_DAYS.polars_schema, orient="row"
    )
    record_loaded(connection, owner, loaded, days)


def bill_run(engine: sa.Engine, *numbers: int) -> None:
    """Post, issue and book one line of usage for each of the numbered accounts."""
    invoices, lines, taxes = drafts(*numbers)
    lines = lines.with_columns(events=pl.lit(1, pl.Int64))
    numbered = lines.join(invoices.select("invoice_key", "invoice_number"), on="invoice_key")
    to_post = numbered.with_columns(
        bill_from=pl.col("service_until"),
        amount=pl.col("unit_price"),
        difference=pl.col("unit_price"),
        posted_amount=pl.lit(0, AMOUNT),
        posted_minor=pl.lit(0, pl.Int64),
        posted_quantity=pl.lit(0, QUANTITY),
        proration=pl.lit(None, pl.String),
        reason=pl.lit("new"),
    )
    booked = invoices.select(
        entry_key=pl.concat_str(pl.lit("invoice/"), "invoice_number"),
        posting_rule=pl.lit("invoice"),
        source_key="invoice_number",
        account_key="account_key",
        booked_date="bill_day",
        currency="currency",
        narration=pl.lit(""),
    )
    entries = whole(JOURNAL_ENTRIES, booked)
    side = booked.select(
        "entry_key",
        posting_number=pl.lit(1, pl.Int64),
        ledger_account=pl.lit("1400"),
        role=pl.lit("receivable"),
        currency="currency",
        amount_minor=pl.lit(2380, pl.Int64),
    )
    revenue, vat = (
        side.with_columns(
            posting_number=pl.lit(number, pl.Int64),
            ledger_account=pl.lit(ledger_account),
            role=pl.lit(role),
            amount_minor=pl.lit(amount, pl.Int64),
        )
        for number, ledger_account, role, amount in [
            (2, "8400", "revenue", -2000),
            (3, "1776", "tax", -380),
        ]
    )
    postings = whole(POSTINGS, pl.concat([side, revenue, vat]))
    with tenant_scope(engine, "acme") as connection:
        allot_numbers(connection, "acme", "invoice", BILL_DAY.year, len(numbers))
        issue_documents(connection, "acme", invoices, lines, taxes)
        post_charges(connection, "acme", BILL_DAY, to_post)
        book(connection, "acme", entries, postings)
