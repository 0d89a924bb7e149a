"""What changes about subscriptions after they started, as known now or at any instant."""

import datetime as dt
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_out
from billing_pipeline.books.tables import (
    agreed_prices,
    subscription_changes,
    subscription_discounts,
)
from billing_pipeline.books.versions import known_rows
from billing_pipeline.customers.schema import (
    AGREED_PRICES,
    SUBSCRIPTION_CHANGES,
    SUBSCRIPTION_DISCOUNTS,
)
from billing_pipeline.vocabulary.frames import FrameSchema


@dataclass(frozen=True)
class SubscriptionTerms:
    """SUBSCRIPTION_CHANGES, SUBSCRIPTION_DISCOUNTS and AGREED_PRICES of one tenant."""

    changes: pl.DataFrame
    discounts: pl.DataFrame
    agreed_prices: pl.DataFrame


def read_subscription_terms(
    connection: sa.Connection, tenant_key: str, *, known_at: dt.datetime | None = None
) -> SubscriptionTerms:
    """The tenant's terms as known now or at `known_at`, each by its key."""

    def read(table: sa.Table, schema: FrameSchema, *key: str) -> pl.DataFrame:
        columns = [table.c[name] for name in schema.names]
        select = sa.select(*columns).where(*known_rows(table, tenant_key, known_at))
        return copy_out(connection, select, schema).sort(key)

    return SubscriptionTerms(
        changes=read(
            subscription_changes, SUBSCRIPTION_CHANGES, "subscription_key", "effective_on"
        ),
        discounts=read(
            subscription_discounts,
            SUBSCRIPTION_DISCOUNTS,
            "subscription_key",
            "discount_key",
            "valid_from",
        ),
        agreed_prices=read(
            agreed_prices, AGREED_PRICES, "subscription_key", "price_key", "valid_from"
        ),
    )
