"""Which plan would have been the best for each subscription, as compared last."""

import datetime as dt

import polars as pl
import sqlalchemy as sa

from billing_pipeline.billing.schema import PLAN_RECOMMENDATIONS
from billing_pipeline.books.billing_tables import plan_recommendations
from billing_pipeline.books.copy import copy_in, copy_out


def replace_recommendations(
    connection: sa.Connection, tenant_key: str, compared: pl.DataFrame, compared_at: dt.datetime
) -> None:
    """Keep PLAN_RECOMMENDATIONS; those of other subscriptions stay."""
    keys = compared["subscription_key"].to_list()
    connection.execute(
        sa.delete(plan_recommendations).where(
            plan_recommendations.c.tenant_key == tenant_key,
            plan_recommendations.c.subscription_key.in_(keys),
        )
    )
    rows = PLAN_RECOMMENDATIONS.conform(compared).with_columns(
        tenant_key=pl.lit(tenant_key),
        compared_at=pl.lit(compared_at).dt.convert_time_zone("UTC"),
    )
    copy_in(connection, plan_recommendations, rows)


def read_recommendations(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """The tenant's PLAN_RECOMMENDATIONS, greatest saving first."""
    select = sa.select(
        *(plan_recommendations.c[name] for name in PLAN_RECOMMENDATIONS.names)
    ).where(plan_recommendations.c.tenant_key == tenant_key)
    return copy_out(connection, select, PLAN_RECOMMENDATIONS).sort(
        "saving", "subscription_key", descending=[True, False]
    )
