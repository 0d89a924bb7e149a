"""Compute the charges that should exist for the accounts due on a bill day."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.due import due_accounts, usage_window
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.schema import CHARGES
from billing_pipeline.books import manifest
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import TenantFacts
from billing_pipeline.orchestration.steps.keep import KeptFrame, keep_frames
from billing_pipeline.rating.schema import RATED_USAGE


@dataclass(frozen=True)
class ComputedCharges:
    """The charges of one bill day and the accounts they are complete for."""

    account_keys: pl.Series
    charges: pl.DataFrame

    @property
    def amount(self) -> Decimal:
        """Sum of what should exist, in major units."""
        return Decimal(self.charges["amount"].sum() or 0)


def compute_bill_day(
    installation: Installation, facts: TenantFacts, bill_day: dt.date
) -> ComputedCharges:
    """Compute a bill day's charges without posting anything; the same code previews and bills."""
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    account_keys = due_accounts(known, bill_day)
    if account_keys.is_empty():
        return ComputedCharges(account_keys, CHARGES.empty())
    start, end = usage_window(known, account_keys, bill_day)
    usage = scan_rated_usage(installation, facts.tenant.key, start.date(), end.date() + ONE_DAY)
    charges = compute_charges(billing_facts(facts, usage), account_keys, bill_day)
    return ComputedCharges(account_keys, CHARGES.conform(charges))


def billing_facts(facts: TenantFacts, rated_usage: pl.LazyFrame) -> BillingFacts:
    """The facts billing is a function of."""
    return BillingFacts(
        tenant=facts.tenant,
        catalog=facts.catalog,
        accounts=facts.accounts,
        subscriptions=facts.subscriptions,
        rated_usage=rated_usage,
    )


def scan_rated_usage(
    installation: Installation, tenant_key: str, from_day: dt.date, until_day: dt.date
) -> pl.LazyFrame:
    """A tenant's current rated usage of the UTC days [from_day, until_day)."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        paths = manifest.partition_paths(
            connection, layout.RATED_USAGE, tenant_key, from_day, until_day
        )
    return installation.lake.scan(paths["path"].to_list(), RATED_USAGE)


def keep_charges(
    installation: Installation, tenant_key: str, bill_day: dt.date, computed: ComputedCharges
) -> None:
    """Keep the computed charges as the lake's `charges` of that bill day."""
    kept = [KeptFrame(layout.CHARGES, tenant_key, computed.charges)]
    written = keep_frames(installation.lake, kept, bill_day)
    with tenant_scope(installation.engine, tenant_key) as connection:
        for part in written:
            manifest.replace_partition(connection, part.frame, bill_day, tenant_key, part.chunks)


def read_charges(installation: Installation, tenant_key: str, bill_day: dt.date) -> pl.DataFrame:
    """The charges last computed for a bill day."""
    return read_charges_of(installation, tenant_key, bill_day, bill_day + ONE_DAY)


def read_charges_of(
    installation: Installation, tenant_key: str, from_day: dt.date, until_day: dt.date
) -> pl.DataFrame:
    """The charges last computed for the bill days [from_day, until_day)."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        paths = manifest.partition_paths(
            connection, layout.CHARGES, tenant_key, from_day, until_day
        )
    return installation.lake.scan(paths["path"].to_list(), CHARGES).collect()
