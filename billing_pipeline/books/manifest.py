"""The manifest of the lake: which files are the current version of a partition.

Files are never overwritten; what they were replaced by is known here, and history stays.
"""

import datetime as dt
from collections.abc import Collection

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_in, copy_out
from billing_pipeline.books.schema import PARTITION_PATHS
from billing_pipeline.books.tables import lake_partitions


def replace_partition(
    connection: sa.Connection,
    frame: str,
    partition_day: dt.date,
    tenant_key: str,
    chunks: pl.DataFrame,
) -> None:
    """Make `chunks` all that a partition consists of; without rows the partition is empty.

    Shape of `chunks`: one row per file, columns chunk, path, rows, bytes.
    """
    _write(connection, frame, partition_day, tenant_key, chunks, sa.true())


def add_chunk(
    connection: sa.Connection,
    frame: str,
    partition_day: dt.date,
    tenant_key: str,
    chunks: pl.DataFrame,
) -> None:
    """Add files to a partition; a chunk of the same name is replaced, the others stay."""
    same_name = lake_partitions.c.chunk.in_(chunks.get_column("chunk").to_list())
    _write(connection, frame, partition_day, tenant_key, chunks, same_name)


def partition_paths(
    connection: sa.Connection,
    frame: str,
    tenant_key: str,
    from_day: dt.date,
    until_day: dt.date,
) -> pl.DataFrame:
    """The current PARTITION_PATHS of a frame on the days [from_day, until_day)."""
    select = sa.select(*(lake_partitions.c[name] for name in PARTITION_PATHS.names)).where(
        lake_partitions.c.tenant_key == tenant_key,
        lake_partitions.c.frame == frame,
        lake_partitions.c.partition_day >= from_day,
        lake_partitions.c.partition_day < until_day,
        lake_partitions.c.superseded_at.is_(None),
    )
    return copy_out(connection, select, PARTITION_PATHS).sort("partition_day", "chunk")


def rows_of_days(
    connection: sa.Connection, frame: str, days: Collection[tuple[str, dt.date]]
) -> dict[tuple[str, dt.date], int]:
    """Rows a frame has now on (tenant, day), where it has any."""
    part = lake_partitions.c
    select = (
        sa.select(part.tenant_key, part.partition_day, sa.func.sum(part.rows))
        .where(
            part.frame == frame,
            part.superseded_at.is_(None),
            sa.tuple_(part.tenant_key, part.partition_day).in_(list(days)),
        )
        .group_by(part.tenant_key, part.partition_day)
    )
    return {(key, day): int(rows) for key, day, rows in connection.execute(select)}


def tenants_of_partition(
    connection: sa.Connection, frame: str, partition_day: dt.date
) -> list[str]:
    """Tenants that have current files of a frame on a day, sorted."""
    tenants = sa.select(lake_partitions.c.tenant_key).where(
        lake_partitions.c.frame == frame,
        lake_partitions.c.partition_day == partition_day,
        lake_partitions.c.superseded_at.is_(None),
    )
    return sorted(connection.execute(tenants.distinct()).scalars())


def _write(
    connection: sa.Connection,
    frame: str,
    partition_day: dt.date,
    tenant_key: str,
    chunks: pl.DataFrame,
    superseded: sa.ColumnElement[bool],
) -> None:
    of_partition = (
        lake_partitions.c.tenant_key == tenant_key,
        lake_partitions.c.frame == frame,
        lake_partitions.c.partition_day == partition_day,
    )
    # Two runs that write one partition follow each other; the later one wins whole.
    connection.execute(
        sa.text("select pg_advisory_xact_lock(hashtextextended(:partition, 1))"),
        {"partition": f"{tenant_key}/{frame}/{partition_day}"},
    )
    superseding = (
        sa.update(lake_partitions)
        .where(*of_partition, lake_partitions.c.superseded_at.is_(None), superseded)
        .values(superseded_at=sa.func.clock_timestamp())
    )
    if chunks.is_empty():
        connection.execute(superseding)
        return
    latest = sa.select(sa.func.coalesce(sa.func.max(lake_partitions.c.version), 0))
    version = connection.execute(latest.where(*of_partition)).scalar_one() + 1
    connection.execute(superseding)
    rows = chunks.select(
        pl.lit(tenant_key).alias("tenant_key"),
        pl.lit(frame).alias("frame"),
        pl.lit(partition_day).alias("partition_day"),
        pl.lit(version, pl.Int64).alias("version"),
        pl.col("chunk"),
        pl.col("path"),
        pl.col("rows").cast(pl.Int64),
        pl.col("bytes").cast(pl.Int64),
    )
    copy_in(connection, lake_partitions, rows)
