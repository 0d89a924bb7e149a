"""Where every record went, stage by stage, and what therefore forbids billing."""

import datetime as dt

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.assurance.schema import CONSERVATION
from billing_pipeline.books.copy import copy_out, staged
from billing_pipeline.books.schema import GATE_PROBLEMS
from billing_pipeline.books.tables import conservation

_FEW_ROWS = 50
_KEY = [column.name for column in conservation.primary_key]


def replace_conservation(connection: sa.Connection, rows: pl.DataFrame) -> None:
    """Keep CONSERVATION rows in place of those with the same stage, day, tenant and feed."""
    if rows.is_empty():
        return
    given = rows.select(CONSERVATION.names).sort(_KEY)
    if given.height <= _FEW_ROWS:
        # A day has a row or two: a table to stage them in costs more than all the rest.
        _upsert(connection, postgresql.insert(conservation).values(given.rows(named=True)))
        return
    with staged(connection, given) as new:
        insert = postgresql.insert(conservation).from_select(CONSERVATION.names, sa.select(new))
        _upsert(connection, insert)


def _upsert(connection: sa.Connection, insert: postgresql.Insert) -> None:
    counts = [name for name in CONSERVATION.names if name not in _KEY]
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=_KEY,
            set_={name: insert.excluded[name] for name in counts}
            | {"changed_at": sa.func.clock_timestamp()},
        )
    )


def clear_conservation(
    connection: sa.Connection, stage: str, partition_day: dt.date, tenant_key: str
) -> None:
    """Set a stage's rows of a day to nothing: it is about to be computed anew, feed by feed."""
    counts = [name for name in CONSERVATION.names if name not in _KEY]
    connection.execute(
        sa.update(conservation)
        .where(
            conservation.c.stage == stage,
            conservation.c.partition_day == partition_day,
            conservation.c.tenant_key == tenant_key,
        )
        .values(dict.fromkeys(counts, 0) | {"changed_at": sa.func.clock_timestamp()})
    )


def read_conservation(
    connection: sa.Connection,
    from_day: dt.date,
    until_day: dt.date,
    tenant_key: str | None = None,
) -> pl.DataFrame:
    """The CONSERVATION of partition days [from_day, until_day), of one tenant or all visible."""
    kept = conservation.c
    select = sa.select(*(kept[name] for name in CONSERVATION.names)).where(
        kept.partition_day >= from_day, kept.partition_day < until_day
    )
    if tenant_key is not None:
        select = select.where(kept.tenant_key == tenant_key)
    return copy_out(connection, select, CONSERVATION).sort(
        "stage", "partition_day", "tenant_key", "feed_key"
    )


def gate_problems(
    connection: sa.Connection, tenant_key: str, from_day: dt.date, until_day: dt.date
) -> pl.DataFrame:
    """GATE_PROBLEMS of a tenant's days [from_day, until_day); no row means it may be billed.

    Looks at the owners of its feeds too, whether or not the caller may see them.
    """
    problems = sa.func.gate_problems(tenant_key, from_day, until_day).table_valued(
        *(sa.column(name) for name in GATE_PROBLEMS.names)
    )
    select = sa.select(*(problems.c[name] for name in GATE_PROBLEMS.names))
    return copy_out(connection, select, GATE_PROBLEMS).sort(GATE_PROBLEMS.names)
