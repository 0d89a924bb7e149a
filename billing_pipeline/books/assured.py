"""What controls ask of the books that no stage does: deliveries, days worked on, cards."""

import datetime as dt

import polars as pl
import sqlalchemy as sa

from billing_pipeline.assurance.schema import LANDED_FILES, RATE_CARD_AGES
from billing_pipeline.books.copy import copy_out
from billing_pipeline.books.tables import (
    rate_card_prices,
    rating_days,
    usage_days,
    usage_files,
)

_DAY = pl.Schema({"partition_day": pl.Date})


def landed_files(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """LANDED_FILES of a tenant's own feeds, in the order they were registered."""
    files = usage_files.c
    select = (
        sa.select(*(files[name] for name in LANDED_FILES.names))
        .where(files.tenant_key == tenant_key)
        .order_by(files.file_id)
    )
    return copy_out(connection, select, LANDED_FILES)


def days_worked_on(
    connection: sa.Connection, tenant_key: str, from_day: dt.date, until_day: dt.date
) -> pl.DataFrame:
    """Days [from_day, until_day) that the register says were mediated or rated, by stage."""
    frames = []
    for stage, table, done in (
        ("mediate", usage_days, usage_days.c.mediated),
        ("rate", rating_days, rating_days.c.rated),
    ):
        select = sa.select(table.c.usage_day.label("partition_day")).where(
            table.c.tenant_key == tenant_key,
            table.c.usage_day >= from_day,
            table.c.usage_day < until_day,
            done > 0,
        )
        days = copy_out(connection, select, _DAY)
        frames.append(days.select(pl.lit(stage).alias("stage"), "partition_day"))
    keys = {"tenant_key": pl.lit(tenant_key), "feed_key": pl.lit("")}
    return pl.concat(frames).with_columns(**keys).sort("stage", "partition_day")


def rate_card_ages(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """RATE_CARD_AGES of a tenant's rate cards and decks as known now."""
    price = rate_card_prices.c
    is_open = sa.func.bool_or(price.valid_until.is_(None))
    select = (
        sa.select(
            price.card_key,
            sa.func.count().label("prices"),
            sa.func.max(price.valid_from).label("newest_from"),
            sa.case((~is_open, sa.func.max(price.valid_until))).label("held_until"),
        )
        .where(price.tenant_key == tenant_key, price.known_until.is_(None))
        .group_by(price.card_key)
    )
    return copy_out(connection, select, RATE_CARD_AGES).sort("card_key")
