"""What people saw before a bill: previews, drafts of open periods, alerts raised once."""

import datetime as dt

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.billing.schema import BILL_PREVIEWS, DRAFT_ALERTS, DRAFT_BILLS, USAGE_ALERTS
from billing_pipeline.books.billing_tables import (
    bill_previews,
    draft_alerts,
    draft_bills,
    usage_alerts,
)
from billing_pipeline.books.copy import copy_in, copy_out, staged
from billing_pipeline.books.tables import charges
from billing_pipeline.vocabulary.frames import FrameSchema, required
from billing_pipeline.vocabulary.money import AMOUNT

LAST_BILLS = FrameSchema(
    name="last_bills",
    grain="one row per account that was billed before",
    columns={
        "account_key": required(pl.String, "billing account"),
        "bill_day": required(pl.Date, "local day of its last bill"),
        "last_amount": required(AMOUNT, "net amount posted on that day, major units"),
    },
)


def last_bills(connection: sa.Connection, tenant_key: str, before: dt.date) -> pl.DataFrame:
    """LAST_BILLS of every account: what its latest bill day before a day came to."""
    of_day = (
        sa.select(
            charges.c.account_key,
            charges.c.bill_day,
            sa.cast(sa.func.sum(charges.c.difference), charges.c.difference.type).label(
                "last_amount"
            ),
        )
        .where(charges.c.tenant_key == tenant_key, charges.c.bill_day < before)
        .group_by(charges.c.account_key, charges.c.bill_day)
        .subquery()
    )
    latest = (
        sa.select(*(of_day.c[name] for name in LAST_BILLS.names))
        .ext(postgresql.distinct_on(of_day.c.account_key))
        .order_by(of_day.c.account_key, of_day.c.bill_day.desc())
    )
    return copy_out(connection, latest, LAST_BILLS).sort("account_key")


def read_previews(connection: sa.Connection, tenant_key: str, bill_day: dt.date) -> pl.DataFrame:
    """The BILL_PREVIEWS last shown for a bill day."""
    select = sa.select(*(bill_previews.c[name] for name in BILL_PREVIEWS.names)).where(
        bill_previews.c.tenant_key == tenant_key, bill_previews.c.bill_day == bill_day
    )
    return copy_out(connection, select, BILL_PREVIEWS).sort("account_key")


def keep_previews(
    connection: sa.Connection,
    tenant_key: str,
    bill_day: dt.date,
    previews: pl.DataFrame,
    now: dt.datetime,
) -> None:
    """Keep BILL_PREVIEWS as the last ones shown for their day."""
    connection.execute(
        sa.delete(bill_previews).where(
            bill_previews.c.tenant_key == tenant_key, bill_previews.c.bill_day == bill_day
        )
    )
    rows = BILL_PREVIEWS.conform(previews).with_columns(
        tenant_key=pl.lit(tenant_key), previewed_at=pl.lit(now).dt.convert_time_zone("UTC")
    )
    copy_in(connection, bill_previews, rows)


def replace_drafts(
    connection: sa.Connection, tenant_key: str, drafts: pl.DataFrame, now: dt.datetime
) -> None:
    """Make DRAFT_BILLS all the drafts the tenant has."""
    connection.execute(sa.delete(draft_bills).where(draft_bills.c.tenant_key == tenant_key))
    rows = DRAFT_BILLS.conform(drafts).with_columns(
        tenant_key=pl.lit(tenant_key), drafted_at=pl.lit(now).dt.convert_time_zone("UTC")
    )
    copy_in(connection, draft_bills, rows)


def read_drafts(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """The tenant's DRAFT_BILLS, dearest expected bill first."""
    select = sa.select(*(draft_bills.c[name] for name in DRAFT_BILLS.names)).where(
        draft_bills.c.tenant_key == tenant_key
    )
    return copy_out(connection, select, DRAFT_BILLS).sort(
        "expected", "account_key", descending=[True, False]
    )


def raise_alerts(
    connection: sa.Connection, tenant_key: str, alerts: pl.DataFrame, now: dt.datetime
) -> pl.DataFrame:
    """Keep the USAGE_ALERTS that were not raised before, and return them."""
    new = _new_rows(connection, usage_alerts, USAGE_ALERTS, tenant_key, alerts, now)
    return new.sort("account_key", "threshold")


def raise_draft_alerts(
    connection: sa.Connection, tenant_key: str, alerts: pl.DataFrame, now: dt.datetime
) -> pl.DataFrame:
    """Keep the DRAFT_ALERTS that were not raised before, and return them."""
    new = _new_rows(connection, draft_alerts, DRAFT_ALERTS, tenant_key, alerts, now)
    return new.sort("account_key", "kind", "subject", "threshold")


def _new_rows(
    connection: sa.Connection,
    table: sa.Table,
    schema: FrameSchema,
    tenant_key: str,
    alerts: pl.DataFrame,
    now: dt.datetime,
) -> pl.DataFrame:
    """Insert the alerts whose key the table does not have, and return them."""
    key = [column.name for column in table.primary_key if column.name != "tenant_key"]
    with staged(connection, schema.conform(alerts)) as reached:
        raised = sa.exists().where(
            table.c.tenant_key == tenant_key, *(table.c[name] == reached.c[name] for name in key)
        )
        select = sa.select(*(reached.c[name] for name in schema.names)).where(~raised)
        new = copy_out(connection, select, schema)
    rows = new.with_columns(
        tenant_key=pl.lit(tenant_key), raised_at=pl.lit(now).dt.convert_time_zone("UTC")
    )
    copy_in(connection, table, rows)
    return new


def read_draft_alerts(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """All DRAFT_ALERTS raised for the tenant, newest bills first."""
    select = sa.select(*(draft_alerts.c[name] for name in DRAFT_ALERTS.names)).where(
        draft_alerts.c.tenant_key == tenant_key
    )
    return copy_out(connection, select, DRAFT_ALERTS).sort(
        "next_bill_day", "account_key", "kind", "subject", "threshold",
        descending=[True, False, False, False, False],
    )  # fmt: skip


def read_alerts(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """All USAGE_ALERTS raised for the tenant, newest bills first."""
    select = sa.select(*(usage_alerts.c[name] for name in USAGE_ALERTS.names)).where(
        usage_alerts.c.tenant_key == tenant_key
    )
    return copy_out(connection, select, USAGE_ALERTS).sort(
        "next_bill_day", "account_key", "threshold", descending=[True, False, False]
    )
