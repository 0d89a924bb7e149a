"""What has been rated and billed of a tenant so far: what a correction is compared with."""

import datetime as dt

import sqlalchemy as sa

from billing_pipeline.books.tables import bill_days, rating_days


def days_with_usage(
    connection: sa.Connection, tenant_key: str, from_day: dt.date, until_day: dt.date
) -> list[dt.date]:
    """Usage days of a tenant in [from_day, until_day), rated or to be rated, in order."""
    days = sa.select(rating_days.c.usage_day).where(
        rating_days.c.tenant_key == tenant_key,
        rating_days.c.usage_day >= from_day,
        rating_days.c.usage_day < until_day,
    )
    return sorted(connection.execute(days).scalars())


def last_billed_day(connection: sa.Connection, tenant_key: str) -> dt.date | None:
    """The latest bill day whose invoices are out; None before the first."""
    latest = sa.select(sa.func.max(bill_days.c.bill_day)).where(
        bill_days.c.tenant_key == tenant_key, bill_days.c.state == "completed"
    )
    day: dt.date | None = connection.execute(latest).scalar_one()
    return day
