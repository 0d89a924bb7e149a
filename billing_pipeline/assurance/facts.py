"""What the controls of one tenant and day look at."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from billing_pipeline.assurance.usage_summed import UsageSummed
from billing_pipeline.billing.history import SUSPENDED
from billing_pipeline.billing.schema import CHARGES
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.customers.tenant import Tenant


@dataclass(frozen=True)
class AssuranceFacts:
    """Facts of one tenant as they are now, read from lake and books.

    `first_day` to `day` is the span of local days that is looked at. `accounts` is
    ACCOUNTS, `subscriptions` SUBSCRIPTIONS as they ended, `changes` SUBSCRIPTION_CHANGES,
    `computed` the CHARGES of this run's bill days, `computed_before` those of all bill days of
    the span, `posted` the POSTED charges of all accounts, `documents` INVOICES and `journal`
    JOURNAL of all time,
    `rated_usage` RATED_USAGE of the span and `usage` its sums (whoever reads it again pays for
    another pass), `days_due` the days that were worked on,
    `conservation` CONSERVATION, `landed` LANDED_FILES of the tenant's feeds, `suspense`
    SUSPENSE, `parts` LAKE_PARTS, `rate_cards` RATE_CARD_AGES, `card_prices` RATE_CARD_PRICES of
    the cards it sells by, of prefixes that priced usage of the span.
    """

    tenant: Tenant
    catalog: Catalog
    feeds: tuple[Feed, ...]
    first_day: dt.date
    day: dt.date
    now: dt.datetime
    accounts: pl.DataFrame
    subscriptions: pl.DataFrame
    changes: pl.DataFrame
    computed: pl.DataFrame
    computed_before: pl.DataFrame
    posted: pl.DataFrame
    documents: pl.DataFrame
    journal: pl.DataFrame
    rated_usage: pl.LazyFrame
    usage: UsageSummed
    days_due: pl.DataFrame
    conservation: pl.DataFrame
    landed: pl.DataFrame
    suspense: pl.DataFrame
    parts: pl.DataFrame
    rate_cards: pl.DataFrame
    card_prices: pl.DataFrame

    @property
    def never_suspended(self) -> pl.DataFrame:
        """SUBSCRIPTIONS that owed their fee all the time."""
        return self._without(pl.col("status") == SUSPENDED)

    @property
    def never_swapped(self) -> pl.DataFrame:
        """SUBSCRIPTIONS that had one plan all the time."""
        return self._without(pl.col("plan_key").is_not_null())

    @property
    def swapped(self) -> pl.Series:
        """Keys of subscriptions that changed their plan."""
        changed = self.changes.filter(pl.col("plan_key").is_not_null())
        return changed.get_column("subscription_key")

    def _without(self, change: pl.Expr) -> pl.DataFrame:
        changed = self.changes.filter(change)
        return self.subscriptions.join(changed, on="subscription_key", how="anti")

    @cached_property
    def standing(self) -> pl.DataFrame:
        """CHARGES that stand: as computed now, else as they were posted."""
        posted = self.posted.with_columns(amount=pl.col("posted_amount")).select(CHARGES.names)
        kept = posted.join(self.computed, on="charge_key", how="anti")
        return pl.concat([self.computed.select(CHARGES.names), kept])

    @cached_property
    def charged(self) -> pl.DataFrame:
        """CHARGES that stand or were computed: usage that came to nothing is not posted."""
        return pl.concat([self.standing, self.computed_before.select(CHARGES.names)])

    @property
    def newest_documents(self) -> pl.DataFrame:
        """INVOICES of the day looked at."""
        return self.documents.filter(pl.col("bill_day") == self.day)

    @property
    def earlier_documents(self) -> pl.DataFrame:
        """INVOICES issued before the day looked at."""
        return self.documents.filter(pl.col("bill_day") < self.day)
