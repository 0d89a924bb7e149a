"""What the books know of the lake's files: which are to be looked at, and how they were found."""

import datetime as dt

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.books.copy import copy_out, staged
from billing_pipeline.books.schema import PARTS_TO_VERIFY
from billing_pipeline.books.tables import lake_partitions, lake_verifications

SHARE = 31
"""So many parts the older days have: each run looks at one of them."""


def parts_to_verify(
    connection: sa.Connection, tenant_key: str, from_day: dt.date, until_day: dt.date
) -> pl.DataFrame:
    """PARTS_TO_VERIFY: a tenant's current lake files of some days, and a share of all older ones.

    Of the older ones those that were found faulty come first, then those verified longest ago.
    """
    part, known = lake_partitions.c, lake_verifications.c
    is_same = sa.and_(part.tenant_key == known.tenant_key, part.path == known.path)
    current = (
        sa.select(
            part.frame,
            part.partition_day,
            part.path,
            part.rows,
            known.stamps,
            known.fault,
            known.verified_at,
        )
        .join_from(lake_partitions, lake_verifications, is_same, isouter=True)
        .where(part.tenant_key == tenant_key, part.superseded_at.is_(None))
    )
    older = current.where(part.partition_day < from_day)
    share = sa.select((sa.func.count() + SHARE - 1) / SHARE).select_from(older.subquery())
    least_known = older.order_by(
        known.fault.is_(None), known.verified_at.asc().nulls_first(), part.path
    ).limit(share.scalar_subquery())
    looked_at = current.where(part.partition_day >= from_day, part.partition_day < until_day)
    rows = copy_out(connection, looked_at, PARTS_TO_VERIFY)
    rest = copy_out(connection, least_known, PARTS_TO_VERIFY)
    # Two chunks of one content are one file.
    once = pl.concat([rows, rest]).sort("frame", "partition_day", "path")
    return once.unique("path", keep="first", maintain_order=True)


def keep_verified(
    connection: sa.Connection, tenant_key: str, verified: pl.DataFrame, *, verified_at: dt.datetime
) -> None:
    """Keep how files were found: columns path, stamps, fault."""
    if verified.is_empty():
        return
    _forget_superseded(connection, tenant_key)
    with staged(connection, verified.select("path", "stamps", "fault")) as found:
        insert = postgresql.insert(lake_verifications).from_select(
            ["tenant_key", "verified_at", "path", "stamps", "fault"],
            sa.select(
                sa.literal(tenant_key, sa.Text),
                sa.literal(verified_at, sa.DateTime(timezone=True)),
                *found.columns,
            ),
        )
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["tenant_key", "path"],
                set_={name: insert.excluded[name] for name in ("stamps", "fault", "verified_at")},
            )
        )


def _forget_superseded(connection: sa.Connection, tenant_key: str) -> None:
    """Drop what is known of files that no current part of the lake consists of any more."""
    part, known = lake_partitions.c, lake_verifications.c
    is_current = sa.exists().where(
        part.tenant_key == known.tenant_key, part.path == known.path, part.superseded_at.is_(None)
    )
    connection.execute(
        sa.delete(lake_verifications).where(known.tenant_key == tenant_key, ~is_current)
    )
