"""Fiscal periods: declared once, closed, reopened, locked; entries stay out of shut ones."""

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.accounting.schema import FISCAL_PERIODS
from billing_pipeline.books.copy import copy_out, staged
from billing_pipeline.books.tables import fiscal_periods

_PERIOD = fiscal_periods.c


def read_periods(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """The tenant's FISCAL_PERIODS in order; none means every day is open."""
    columns = [_PERIOD[name] for name in FISCAL_PERIODS.names]
    select = sa.select(*columns).where(_PERIOD.tenant_key == tenant_key)
    return copy_out(connection, select, FISCAL_PERIODS).sort("first_day")


def keep_periods(
    connection: sa.Connection, tenant_key: str, periods: pl.DataFrame, *, changed_by: str
) -> int:
    """Add new FISCAL_PERIODS and take over changed states; return how many changed.

    The rules of the states are in accounting/periods.py; a locked period refuses to change.
    """
    changed = FISCAL_PERIODS.conform(periods).join(
        read_periods(connection, tenant_key), on=FISCAL_PERIODS.names, how="anti"
    )
    if changed.is_empty():
        return 0
    with staged(connection, changed) as new:
        insert = postgresql.insert(fiscal_periods).from_select(
            ["tenant_key", *FISCAL_PERIODS.names, "changed_at", "changed_by"],
            sa.select(
                sa.literal(tenant_key, sa.Text),
                *new.columns,
                sa.func.clock_timestamp(),
                sa.literal(changed_by, sa.Text),
            ),
        )
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["tenant_key", "first_day"],
                set_={
                    name: insert.excluded[name] for name in ("state", "changed_at", "changed_by")
                },
            )
        )
    return changed.height
