"""Which usage may be masked, that it was, and which files of it are still to be removed."""

import datetime as dt
from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_in, copy_out
from billing_pipeline.books.retention_schema import (
    FORGOTTEN_FILES,
    FORGOTTEN_QUERY,
    ITEMISATIONS,
    ITEMISATIONS_QUERY,
    LANDING_DAYS_QUERY,
    MASKABLE_DAYS,
    PARTITIONS,
    USAGE_DAYS_QUERY,
)
from billing_pipeline.books.tables import (
    lake_partitions,
    rating_days,
    removed_documents,
    suspense_states,
    usage_days,
    usage_files,
)
from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema


class DayTouched(Exception):
    """A day changed while it was being masked; it is masked with the next run."""


class DayMasked(Exception):
    """Usage of a day was masked, so nothing can be computed from it anew."""


def maskable_usage_days(
    connection: sa.Connection, family: Sequence[str], before: dt.date
) -> pl.DataFrame:
    """MASKABLE_DAYS of usage before a day, with what holds them."""
    return _asked(connection, USAGE_DAYS_QUERY, MASKABLE_DAYS, family=list(family), before=before)


def maskable_landing_days(
    connection: sa.Connection, family: Sequence[str], before: dt.date, reach_days: int
) -> pl.DataFrame:
    """MASKABLE_DAYS of landed files; their records may concern days `reach_days` away."""
    given = {"family": list(family), "before": before, "reach": reach_days}
    return _asked(connection, LANDING_DAYS_QUERY, MASKABLE_DAYS, **given)


def mark_usage_day_masked(
    connection: sa.Connection, family: Sequence[str], day: dt.date, masked_at: dt.datetime
) -> None:
    """Note that a family's usage day is masked and never computed anew; its suspense forgets too.

    Raises: DayTouched if it became stale meanwhile.
    """
    for table, done in ((usage_days, "mediated"), (rating_days, "rated")):
        own = (table.c.tenant_key.in_(family), table.c.usage_day == day)
        connection.execute(
            sa.update(table)
            .where(*own, table.c[done] == table.c.touched, table.c.masked_at.is_(None))
            .values(masked_at=masked_at)
        )
        left = sa.select(sa.func.count()).where(*own, table.c.masked_at.is_(None))
        if connection.execute(left).scalar_one():
            raise DayTouched(f"{day} was touched while it was masked; it is masked another time")
    _forget_identifiers(connection, family, day, suspense_states.c.stage != "decode")


def mark_landing_day_masked(
    connection: sa.Connection, family: Sequence[str], day: dt.date, masked_at: dt.datetime
) -> None:
    """Note that raw usage of a family's landing day is masked."""
    own = (usage_files.c.tenant_key.in_(family), usage_files.c.landing_day == day)
    connection.execute(sa.update(usage_files).where(*own).values(masked_at=masked_at))
    _forget_identifiers(connection, family, day, suspense_states.c.stage == "decode")


def masked_since(
    connection: sa.Connection, tenant_key: str, from_day: dt.date, until_day: dt.date
) -> dict[dt.date, dt.datetime]:
    """When usage days [from_day, until_day) of a tenant were masked; others are not in it."""
    column = rating_days.c
    select = sa.select(column.usage_day, column.masked_at).where(
        column.tenant_key == tenant_key,
        column.usage_day >= from_day,
        column.usage_day < until_day,
        column.masked_at.is_not(None),
    )
    return {row.usage_day: row.masked_at for row in connection.execute(select)}


def refuse_masked_owner_day(connection: sa.Connection, owner_key: str, day: dt.date) -> None:
    """Keep a usage day from being mediated over what was masked, until the transaction ends.

    Raises: DayMasked.
    """
    select = (
        sa.select(usage_days.c.masked_at)
        .where(usage_days.c.tenant_key == owner_key, usage_days.c.usage_day == day)
        .with_for_update()
    )
    _refuse(owner_key, day, connection.execute(select).scalar_one_or_none())


def refuse_masked_day(connection: sa.Connection, tenant_key: str, day: dt.date) -> None:
    """Raises DayMasked where a tenant's usage day is masked."""
    masked_at = masked_since(connection, tenant_key, day, day + dt.timedelta(days=1)).get(day)
    _refuse(tenant_key, day, masked_at)


def is_landing_day_masked(connection: sa.Connection, owner_key: str, day: dt.date) -> bool:
    """Whether originals of a landing day are gone."""
    masked = sa.select(sa.literal(1)).where(
        usage_files.c.tenant_key == owner_key,
        usage_files.c.landing_day == day,
        usage_files.c.masked_at.is_not(None),
    )
    return connection.execute(masked.limit(1)).first() is not None


def untidy_partitions(connection: sa.Connection, family: Sequence[str]) -> pl.DataFrame:
    """PARTITIONS that were masked and whose earlier files are still to be removed."""
    part = lake_partitions.c
    is_masked = sa.or_(
        sa.exists().where(
            rating_days.c.tenant_key.in_(family),
            rating_days.c.usage_day == part.partition_day,
            rating_days.c.masked_at.is_not(None),
            part.frame.in_(("mediated_usage", "rated_usage", "rate_suspense")),
        ),
        sa.exists().where(
            usage_days.c.tenant_key == part.tenant_key,
            usage_days.c.usage_day == part.partition_day,
            usage_days.c.masked_at.is_not(None),
            part.frame == "mediate_suspense",
        ),
        sa.exists().where(
            usage_files.c.tenant_key == part.tenant_key,
            usage_files.c.landing_day == part.partition_day,
            usage_files.c.masked_at.is_not(None),
            part.frame.in_(("raw_usage", "decode_suspense")),
        ),
    )
    select = (
        sa.select(*(part[name] for name in PARTITIONS.names))
        .where(
            part.tenant_key.in_(family),
            part.superseded_at.is_not(None),
            part.removed_at.is_(None),
            is_masked,
        )
        .distinct()
    )
    return copy_out(connection, select, PARTITIONS).sort(PARTITIONS.names)


def record_tidied(
    connection: sa.Connection, frame: str, tenant_key: str, day: dt.date, now: dt.datetime
) -> None:
    """Note that only the current files of a partition are left."""
    part = lake_partitions.c
    connection.execute(
        sa.update(lake_partitions)
        .where(
            part.frame == frame,
            part.tenant_key == tenant_key,
            part.partition_day == day,
            part.superseded_at.is_not(None),
        )
        .values(removed_at=now)
    )


def itemisations_of_masked_usage(connection: sa.Connection, family: Sequence[str]) -> pl.DataFrame:
    """ITEMISATIONS that are still there although all usage behind their document is masked."""
    return _asked(connection, ITEMISATIONS_QUERY, ITEMISATIONS, family=list(family))


def record_removed_documents(
    connection: sa.Connection, removed: pl.DataFrame, removed_at: dt.datetime
) -> None:
    """Note that files of documents were removed; the documents and their hashes stay."""
    rows = removed.select(
        "tenant_key", "invoice_number", "kind", removed_at=pl.lit(removed_at, UTC_INSTANT)
    )
    copy_in(connection, removed_documents, rows)


def forgotten_files(connection: sa.Connection, family: Sequence[str]) -> pl.DataFrame:
    """FORGOTTEN_FILES: originals of masked usage that are still there."""
    return _asked(connection, FORGOTTEN_QUERY, FORGOTTEN_FILES, family=list(family))


def record_forgotten(connection: sa.Connection, file_ids: Sequence[int]) -> None:
    """Note that the archive no longer keeps files."""
    connection.execute(
        sa.update(usage_files).where(usage_files.c.file_id.in_(file_ids)).values(archive_path=None)
    )


def _asked(
    connection: sa.Connection, query: str, schema: FrameSchema, **given: object
) -> pl.DataFrame:
    rows = [tuple(row) for row in connection.execute(sa.text(query), given)]
    return pl.DataFrame(rows, schema=schema.polars_schema, orient="row")


def _refuse(tenant_key: str, day: dt.date, masked_at: dt.datetime | None) -> None:
    if masked_at is not None:
        raise DayMasked(
            f"usage of {tenant_key} on {day} was masked on {masked_at:%Y-%m-%d}, as its retention "
            "says: nothing can be computed from it anew. What was charged stays; correct it by an "
            "agreement or a one-time price."
        )


def _forget_identifiers(
    connection: sa.Connection,
    family: Sequence[str],
    day: dt.date,
    stage: sa.ColumnElement[bool],
) -> None:
    connection.execute(
        sa.update(suspense_states)
        .where(
            suspense_states.c.tenant_key.in_(family),
            suspense_states.c.partition_day == day,
            suspense_states.c.service_identifier.is_not(None),
            stage,
        )
        .values(service_identifier=None)
    )
