"""Usage days on which nothing is to be done: a run over them would repeat what was done."""

import datetime as dt
from typing import Literal

import sqlalchemy as sa

from billing_pipeline.books.tables import rating_days, usage_days

_DONE = {
    "mediate": (usage_days, usage_days.c.mediated),
    "rate": (rating_days, rating_days.c.rated),
}


def settled_days(
    connection: sa.Connection, stage: Literal["mediate", "rate"], first: dt.date, last: dt.date
) -> set[tuple[str, dt.date]]:
    """(tenant, day) from first to last that a stage has done and nothing has touched since."""
    table, done = _DONE[stage]
    days = table.c
    select = sa.select(days.tenant_key, days.usage_day).where(
        done >= days.touched, days.usage_day >= first, days.usage_day <= last
    )
    return {(row.tenant_key, row.usage_day) for row in connection.execute(select)}
