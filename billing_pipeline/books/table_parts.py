"""How tables are written down: columns of frames, the tenant first in every key, known time."""

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from billing_pipeline.books.copy import SqlType, sql_type
from billing_pipeline.vocabulary.frames import FrameSchema

METADATA = sa.MetaData()
TEXT = sa.Text()
WHOLE = sa.BigInteger()
SMALL = sa.Integer()
DAY = sa.Date()
INSTANT = sa.DateTime(timezone=True)
EXACT = sa.Numeric(38, 10)


def framed(schema: FrameSchema, *omitted: str) -> Iterator[sa.Column[object]]:
    """Columns of a frame as columns of its table."""
    for name, column in schema.columns.items():
        if name not in omitted:
            yield sa.Column(name, sql_type(column.dtype), nullable=column.is_nullable)


def required(type_: SqlType, *names: str) -> list[sa.Column[object]]:
    """Columns of one type that are never null."""
    return [sa.Column(name, type_, nullable=False) for name in names]


def optional(type_: SqlType, *names: str) -> list[sa.Column[object]]:
    """Columns of one type that may be null."""
    return [sa.Column(name, type_, nullable=True) for name in names]


def table(name: str, *columns: Iterable[sa.Column[object]], key: tuple[str, ...] = ()) -> sa.Table:
    """A table whose primary key begins with the tenant."""
    return sa.Table(
        name,
        METADATA,
        sa.Column("tenant_key", sa.Text, nullable=False),
        *(column for group in columns for column in group),
        sa.PrimaryKeyConstraint("tenant_key", *key),
    )


def versioned(name: str, *columns: Iterable[sa.Column[object]], key: tuple[str, ...]) -> sa.Table:
    """A table of versions: rows are believed from one revision until a later one."""
    known = [*required(sa.Integer(), "revision"), *required(INSTANT, "known_from")]
    known += optional(INSTANT, "known_until")
    return table(name, *columns, known, key=(*key, "revision"))
