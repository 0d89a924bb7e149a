"""Rows with known time: compare incoming rows with the known ones, close those, insert these."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books import tables
from billing_pipeline.books.copy import copy_out, refresh_statistics, staged
from billing_pipeline.books.schema import REVISION_CHANGES


@dataclass(frozen=True)
class Incoming:
    """Rows to become known: `rows` has the table's key and content columns."""

    table: sa.Table
    rows: sa.FromClause
    key: tuple[str, ...]
    content: tuple[str, ...]
    derived: tuple[str, ...] = ()

    def kind(self, of: sa.FromClause) -> sa.ColumnElement[str]:
        """What people call the rows."""
        if "kind" in self.key:
            return sa.cast(of.c.kind, sa.Text)
        return sa.literal(self.table.name, sa.Text)

    def label(self, of: sa.FromClause) -> sa.ColumnElement[str]:
        """The key for people."""
        named = [of.c[name] for name in self.key if name not in ("kind", "valid_from")]
        return sa.func.concat_ws("/", *named)

    def same_key(self, left: sa.FromClause, right: sa.FromClause) -> sa.ColumnElement[bool]:
        """Whether two rows are versions of one thing."""
        return sa.and_(*(left.c[name] == right.c[name] for name in self.key))

    def same_content(self, left: sa.FromClause, right: sa.FromClause) -> sa.ColumnElement[bool]:
        """Whether two versions say the same."""
        return sa.and_(*(left.c[name].is_not_distinct_from(right.c[name]) for name in self.content))


@contextmanager
def staged_versions(
    connection: sa.Connection, frames: Mapping[str, pl.DataFrame]
) -> Iterator[list[Incoming]]:
    """Stage one frame per table, named by table, for comparison with what is known."""
    with ExitStack() as stages:
        yield [
            _incoming(tables.METADATA.tables[name], stages.enter_context(staged(connection, frame)))
            for name, frame in frames.items()
        ]


def read_changes(connection: sa.Connection, incoming: Incoming, tenant_key: str) -> pl.DataFrame:
    """What differs from the known rows: a REVISION_CHANGES frame."""
    rows, known = incoming.rows, _known(incoming, tenant_key)
    one_key = incoming.key[0]
    is_new, is_gone = known.c[one_key].is_(None), rows.c[one_key].is_(None)
    joined = sa.join(rows, known, incoming.same_key(rows, known), full=True)
    changes = (
        sa.select(
            sa.func.coalesce(incoming.kind(rows), incoming.kind(known)).label("kind"),
            sa.case((is_gone, incoming.label(known)), else_=incoming.label(rows)).label("key"),
            sa.case((is_new, "added"), (is_gone, "removed"), else_="changed").label("change"),
        )
        .select_from(joined)
        .where(sa.or_(is_new, is_gone, sa.not_(incoming.same_content(rows, known))))
    )
    return copy_out(connection, changes, REVISION_CHANGES)


def replace_known(
    connection: sa.Connection,
    incoming: Incoming,
    tenant_key: str,
    revision: int,
    known_from: dt.datetime,
) -> None:
    """Close the known rows that vanished or changed, then insert what is new or changed."""
    closed = connection.execute(close_known(incoming, tenant_key, known_from))
    inserted = connection.execute(insert_new(incoming, tenant_key, revision, known_from))
    refresh_statistics(connection, incoming.table, closed.rowcount + inserted.rowcount)


def close_known(incoming: Incoming, tenant_key: str, closed_at: dt.datetime) -> sa.Update:
    """End the known time of rows that vanished or say something else now."""
    table, rows = incoming.table, incoming.rows
    unchanged = sa.exists().where(
        incoming.same_key(table, rows), incoming.same_content(table, rows)
    )
    return (
        sa.update(table)
        .where(table.c.tenant_key == tenant_key, table.c.known_until.is_(None), ~unchanged)
        .values(known_until=closed_at)
    )


def insert_new(
    incoming: Incoming, tenant_key: str, revision: int, known_from: dt.datetime
) -> sa.Insert:
    """Insert the rows that are not known; to be run after `close_known`."""
    rows, known = incoming.rows, _known(incoming, tenant_key)
    names = [*incoming.key, *incoming.content, *incoming.derived]
    new = sa.select(
        sa.literal(tenant_key, sa.Text),
        sa.literal(revision, sa.Integer),
        sa.literal(known_from, sa.DateTime(timezone=True)),
        *(rows.c[name] for name in names),
    ).where(~sa.exists().where(incoming.same_key(rows, known)))
    return sa.insert(incoming.table).from_select(
        ["tenant_key", "revision", "known_from", *names], new
    )


def known_rows(
    table: sa.Table, tenant_key: str, known_at: dt.datetime | None
) -> list[sa.ColumnElement[bool]]:
    """The conditions for a tenant's rows as known now, or as known at an instant."""
    of_tenant = table.c.tenant_key == tenant_key
    if known_at is None:
        return [of_tenant, table.c.known_until.is_(None)]
    still_known = sa.or_(table.c.known_until.is_(None), table.c.known_until > known_at)
    return [of_tenant, table.c.known_from <= known_at, still_known]


def _known(incoming: Incoming, tenant_key: str) -> sa.FromClause:
    columns = [incoming.table.c[name] for name in (*incoming.key, *incoming.content)]
    conditions = known_rows(incoming.table, tenant_key, None)
    return sa.select(*columns).where(*conditions).subquery("known")


def _incoming(table: sa.Table, stage: sa.Table) -> Incoming:
    key = tuple(
        column.name for column in table.primary_key if column.name not in ("tenant_key", "revision")
    )
    content = tuple(column.name for column in stage.columns if column.name not in key)
    if table is tables.catalog_entries:
        return Incoming(table, _entries(stage), key, content, derived=("content_hash",))
    return Incoming(table, stage, key, content)


def _entries(stage: sa.Table) -> sa.FromClause:
    """Entries with open bounds as infinities and the digest of the document as stored."""
    document = sa.cast(stage.c.document, tables.catalog_entries.c.document.type)
    digest = sa.func.sha256(sa.func.convert_to(sa.cast(document, sa.Text), "UTF8"))
    return sa.select(
        stage.c.kind,
        stage.c.entry_key,
        sa.func.coalesce(stage.c.valid_from, _bound("-infinity")).label("valid_from"),
        sa.func.coalesce(stage.c.valid_until, _bound("infinity")).label("valid_until"),
        document.label("document"),
        sa.func.encode(digest, "hex").label("content_hash"),
    ).subquery("entries")


def _bound(infinity: str) -> sa.ColumnElement[dt.date]:
    return sa.cast(sa.literal(infinity, sa.Text), sa.Date)
