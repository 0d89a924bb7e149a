"""What the migrations made, as SQLAlchemy sees it; columns that travel come from the frames.

A test compares this module with a migrated database. Rules (checks, triggers, policies) stand in
the migrations only.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from billing_pipeline.accounting.schema import JOURNAL_ENTRIES, POSTINGS
from billing_pipeline.assurance.schema import CONSERVATION, FINDINGS
from billing_pipeline.billing.schema import CHARGES
from billing_pipeline.books.copy import sql_type
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.customers.schema import ACCOUNTS, SERVICE_IDENTIFIERS, SUBSCRIPTIONS
from billing_pipeline.invoicing.schema import INVOICE_LINES, INVOICE_TAXES, INVOICES
from billing_pipeline.vocabulary.frames import FrameSchema

METADATA = sa.MetaData()
INSTANT = sa.DateTime(timezone=True)
EXACT = sa.Numeric(38, 10)


def _framed(schema: FrameSchema, *omitted: str) -> Iterator[sa.Column[object]]:
    """Columns of a frame as columns of its table."""
    for name, column in schema.columns.items():
        if name not in omitted:
            yield sa.Column(name, sql_type(column.dtype), nullable=column.is_nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, INSTANT, nullable=False)


def _day(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date, nullable=False)


def _maybe(name: str, type_: sa.types.TypeEngine[object]) -> sa.Column[object]:
    return sa.Column(name, type_, nullable=True)


def _table(name: str, *columns: sa.Column[object], key: tuple[str, ...] = ()) -> sa.Table:
    primary = [sa.PrimaryKeyConstraint("tenant_key", *key)]
    return sa.Table(name, METADATA, _text("tenant_key"), *columns, *primary)


def _known() -> Iterator[sa.Column[object]]:
    """When the books believed a row: from its revision until another one replaced it."""
    yield from (_small("revision"), _instant("known_from"), _maybe("known_until", INSTANT))
