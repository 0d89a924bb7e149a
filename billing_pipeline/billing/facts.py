"""What billing is a function of: the facts of one tenant at one known time."""

from dataclasses import dataclass, field

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.customers.schema import (
    AGREED_PRICES,
    SUBSCRIPTION_CHANGES,
    SUBSCRIPTION_DISCOUNTS,
)
from billing_pipeline.customers.tenant import Tenant


@dataclass(frozen=True)
class BillingFacts:
    """Everything charges are computed from.

    `accounts` is ACCOUNTS, `subscriptions` SUBSCRIPTIONS, `rated_usage` RATED_USAGE (lazy; at
    least the span `usage_window` names), `subscription_changes` SUBSCRIPTION_CHANGES: what
    happened to subscriptions after they started, `subscription_discounts`
    SUBSCRIPTION_DISCOUNTS: what they agreed to beside their own discount, `agreed_prices`
    AGREED_PRICES: recurring prices that are theirs alone. The same facts always give the same
    charges.
    """

    tenant: Tenant
    catalog: Catalog
    accounts: pl.DataFrame
    subscriptions: pl.DataFrame
    rated_usage: pl.LazyFrame
    subscription_changes: pl.DataFrame = field(default_factory=SUBSCRIPTION_CHANGES.empty)
    subscription_discounts: pl.DataFrame = field(default_factory=SUBSCRIPTION_DISCOUNTS.empty)
    agreed_prices: pl.DataFrame = field(default_factory=AGREED_PRICES.empty)
