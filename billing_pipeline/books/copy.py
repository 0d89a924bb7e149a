"""Frames in and out of Postgres by COPY: exact decimals, nulls told from empty strings.

Strings are always quoted and nulls never, on both ways: an unquoted nothing is null, `""` is an
empty string, and no marker has to be reserved.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCLASS, dialect
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.type_api import TypeEngine

from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema

_POSTGRES = dialect()  # type: ignore[no-untyped-call]
_FEW_ROWS = 100
_ROWS_AT_ONCE = 100_000
_ROWS_TO_NOTICE = 5_000
_BUFFER_BYTES = 1 << 20
_INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S%.6f%:z"
_STAGES_IN_USE = "billing_stages_in_use"
_INTO = "billing_copy_into"

SqlType = TypeEngine[Any]  # SQLAlchemy's types say what Python type they hold; rows leave as frames


class NotCopied(Exception):
    """A frame cannot travel: a type that Postgres lacks, or other columns than asked for."""


def sql_type(dtype: pl.DataType | type[pl.DataType]) -> SqlType:
    """The column type that holds a Polars type exactly.

    Raises: NotCopied for types without an exact counterpart, floats among them.
    """
    if isinstance(dtype, pl.Decimal):
        return sa.Numeric(dtype.precision, dtype.scale)
    for known, type_ in _SQL_TYPES:
        if dtype == known:
            return type_
    raise NotCopied(f"no exact column type for {dtype}")


_SQL_TYPES: tuple[tuple[pl.DataType | type[pl.DataType], SqlType], ...] = (
    (pl.String, sa.Text()),
    (pl.Int64, sa.BigInteger()),
    (pl.Int32, sa.Integer()),
    (pl.UInt32, sa.BigInteger()),
    (pl.Date, sa.Date()),
    (pl.Boolean, sa.Boolean()),
    (UTC_INSTANT, sa.DateTime(timezone=True)),
)


def copy_in(connection: sa.Connection, table: sa.Table, frame: pl.DataFrame) -> int:
    """Insert all rows of `frame`; its column names are columns of `table`.

    Many rows go through a temporary table, because COPY is closed to roles under row-level
    security; a few are sent as values, which saves making and dropping the table.
    Returns the number of rows.
    """
    if frame.is_empty():
        return 0
    if frame.height <= _FEW_ROWS and not _has_documents(table):
        connection.execute(sa.insert(table), frame.rows(named=True))
        return frame.height
    with _copied(connection, frame) as rows:
        connection.execute(insert_from(table, rows))
    refresh_statistics(connection, table, frame.height)
    return frame.height


def _has_documents(table: sa.Table) -> bool:
    """Whether a column is JSON: frames carry it as text, which only a cast makes a document."""
    return any(isinstance(column.type, sa.JSON) for column in table.columns)


def refresh_statistics(connection: sa.Connection, table: sa.Table, rows_changed: int) -> None:
    """Let the planner look at a table again after a change that it would not expect."""
    if rows_changed >= _ROWS_TO_NOTICE:
        connection.execute(sa.select(sa.func.refresh_statistics(sa.cast(table.name, REGCLASS))))


def insert_from(table: sa.Table, rows: sa.Table) -> sa.Insert:
    """Insert every staged row into the columns of the same names."""
    names = [column.name for column in rows.columns]
    return sa.insert(table).from_select(
        names, sa.select(*(sa.cast(rows.c[name], table.c[name].type) for name in names))
    )


@contextmanager
def staged(connection: sa.Connection, frame: pl.DataFrame) -> Iterator[sa.Table]:
    """A temporary table with the rows of `frame`, to join with; gone at the end of the block."""
    with _copied(connection, frame) as table:
        if frame.height > _FEW_ROWS:
            connection.execute(sa.text(f"analyze {table.name}"))
        yield table


@contextmanager
def _copied(connection: sa.Connection, frame: pl.DataFrame) -> Iterator[sa.Table]:
    in_use: set[int] = connection.info.setdefault(_STAGES_IN_USE, set())
    number = next(number for number in count(1) if number not in in_use)
    table, ddl = _stage(tuple(frame.schema.items()), number)
    connection.exec_driver_sql(ddl)
    in_use.add(number)
    copy_rows(connection, table, frame)
    # After an error the transaction takes no statement but its end, so the number stays taken.
    yield table
    connection.exec_driver_sql(f"drop table {table.name}")
    in_use.remove(number)


@lru_cache(maxsize=1_000)
def _stage(columns: tuple[tuple[str, pl.DataType], ...], number: int) -> tuple[sa.Table, str]:
    """A temporary table and its DDL, the same objects every time: statements stay compiled."""
    table = sa.Table(
        f"staged_{number}",
        sa.MetaData(),
        *(sa.Column(name, sql_type(dtype)) for name, dtype in columns),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )
    return table, str(CreateTable(table).compile(dialect=_POSTGRES))


def copy_rows(connection: sa.Connection, table: sa.Table, frame: pl.DataFrame) -> None:
    """COPY a frame into a table that has exactly its columns."""
    names = ", ".join(f'"{name}"' for name in frame.columns)
    cursor = connection.connection.cursor()
    try:
        for rows in frame.iter_slices(_ROWS_AT_ONCE):
            cursor.copy_expert(
                f"copy {table.name} ({names}) from stdin (format csv)",
                io.BytesIO(_to_csv(rows)),
                _BUFFER_BYTES,
            )
    finally:
        cursor.close()


def copy_out(
    connection: sa.Connection,
    select: sa.Select[*tuple[object, ...]] | sa.CompoundSelect[*tuple[object, ...]],
    schema: FrameSchema | pl.Schema,
) -> pl.DataFrame:
    """Read the rows of `select`, whose columns are those of `schema` in the same order.

    A FrameSchema is also checked.
    Raises: NotCopied if the columns differ.
    """
    types = schema.polars_schema if isinstance(schema, FrameSchema) else schema
    selected = select.selected_columns.keys()
    if selected != types.names():
        raise NotCopied(f"selected {selected}, asked for {types.names()}")
    frame = _from_csv(_copy_text(connection, select), types)
    return schema.conform(frame) if isinstance(schema, FrameSchema) else frame


def _copy_text(
    connection: sa.Connection,
    select: sa.Select[*tuple[object, ...]] | sa.CompoundSelect[*tuple[object, ...]],
) -> io.BytesIO:
    text = io.BytesIO()
    connection.execute(select, execution_options={_INTO: text}).close()
    text.seek(0)
    return text


def copy_where_asked(
    cursor: Any,  # noqa: ANN401 - driver's own type
    statement: str,
    parameters: Any,  # noqa: ANN401 - driver's own type
    context: sa.ExecutionContext,
) -> bool:
    """Listen to `do_execute`: send a query's rows by COPY where `copy_out` asks for it.

    The statement comes compiled from SQLAlchemy's cache.
    """
    into = context.execution_options.get(_INTO)
    if into is None:
        return False
    query = cursor.mogrify(statement, parameters).decode()
    cursor.copy_expert(f"copy ({query}) to stdout (format csv, header, force_quote *)", into)
    return True


def _to_csv(frame: pl.DataFrame) -> bytes:
    text = frame.write_csv(
        include_header=False, quote_style="non_numeric", datetime_format=_INSTANT_FORMAT
    )
    return text.encode()


def _from_csv(text: io.BytesIO, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    as_text = {
        name: pl.String if dtype in (UTC_INSTANT, pl.Boolean) else dtype
        for name, dtype in types.items()
    }
    frame = pl.read_csv(text, schema=as_text)
    return frame.with_columns(
        _parsed(name, dtype) for name, dtype in types.items() if as_text[name] != dtype
    )


def _parsed(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Boolean:
        return pl.col(name) == "t"
    instants = pl.col(name).str.to_datetime(
        "%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", time_zone="UTC"
    )
    return instants.alias(name)
