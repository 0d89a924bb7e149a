"""Compute the charges that should exist for the accounts due on a bill day."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.due import usage_window
from billing_pipeline.billing.schema import BILLED_ACCOUNTS, CHARGES
from billing_pipeline.billing.taken import taken_by_events
from billing_pipeline.books import manifest
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.bill_days import accounts_due
from billing_pipeline.orchestration.steps.facts import TenantFacts, billing_facts
from billing_pipeline.orchestration.steps.keep import KeptFrame, keep_frames
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.frames import FrameSchema


@dataclass(frozen=True)
class ComputedCharges:
    """The charges of one bill day and the accounts they are complete for.

    `revision` is that of the configuration they were computed from; zero if nothing was.
    """

    account_keys: pl.Series
    charges: pl.DataFrame
    revision: int

    @property
    def amount(self) -> Decimal:
        """Sum of what should exist, in major units."""
        return Decimal(self.charges["amount"].sum() or 0)


def compute_bill_day(
    installation: Installation, facts: TenantFacts, bill_day: dt.date
) -> ComputedCharges:
    """Compute a bill day's charges without posting anything; the same code previews and bills."""
    account_keys = accounts_due(installation, facts, bill_day)
    return compute_accounts(installation, facts, account_keys, bill_day)


def compute_accounts(
    installation: Installation, facts: TenantFacts, account_keys: pl.Series, bill_day: dt.date
) -> ComputedCharges:
    """Compute the charges of some accounts as of a bill day, due or not."""
    if account_keys.is_empty():
        return ComputedCharges(account_keys, CHARGES.empty(), facts.revision)
    usage = usage_of_accounts(installation, facts, account_keys, bill_day)
    charges = compute_charges(billing_facts(facts, usage), account_keys, bill_day)
    return ComputedCharges(account_keys, CHARGES.conform(charges), facts.revision)


def usage_of_accounts(
    installation: Installation, facts: TenantFacts, account_keys: pl.Series, bill_day: dt.date
) -> pl.LazyFrame:
    """The rated usage that charges of some accounts rest on, as of a bill day."""
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    start, end = usage_window(known, account_keys, bill_day)
    return scan_rated_usage(installation, facts.tenant.key, start.date(), end.date() + ONE_DAY)


def included_taken(
    installation: Installation, facts: TenantFacts, account_keys: pl.Series, bill_day: dt.date
) -> pl.DataFrame:
    """The included units that events of some accounts took, as of a bill day: TAKEN."""
    usage = usage_of_accounts(installation, facts, account_keys, bill_day)
    return taken_by_events(billing_facts(facts, usage), account_keys, bill_day)


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
    """Keep the computed charges, and the accounts they are of, as the lake's of that bill day."""
    accounts = BILLED_ACCOUNTS.conform(
        computed.account_keys.rename("account_key")
        .to_frame()
        .with_columns(revision=pl.lit(computed.revision, dtype=pl.Int64))
    )
    kept = [
        KeptFrame(layout.CHARGES, tenant_key, computed.charges),
        KeptFrame(layout.BILLED_ACCOUNTS, tenant_key, accounts),
    ]
    written = keep_frames(installation.lake, kept, bill_day)
    with tenant_scope(installation.engine, tenant_key) as connection:
        for part in written:
            manifest.replace_partition(connection, part.frame, bill_day, tenant_key, part.chunks)


def read_charges(installation: Installation, tenant_key: str, bill_day: dt.date) -> ComputedCharges:
    """What was last computed for a bill day."""

    def read(frame: str, schema: FrameSchema) -> pl.DataFrame:
        with tenant_scope(installation.engine, tenant_key) as connection:
            paths = manifest.partition_paths(
                connection, frame, tenant_key, bill_day, bill_day + ONE_DAY
            )
        return installation.lake.scan(paths["path"].to_list(), schema).collect()

    accounts = read(layout.BILLED_ACCOUNTS, BILLED_ACCOUNTS)
    revision = accounts["revision"].max()
    return ComputedCharges(
        account_keys=accounts["account_key"],
        charges=read(layout.CHARGES, CHARGES),
        revision=revision if isinstance(revision, int) else 0,
    )


def read_charges_of(
    installation: Installation, tenant_key: str, from_day: dt.date, until_day: dt.date
) -> pl.DataFrame:
    """The charges last computed for the bill days [from_day, until_day)."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        paths = manifest.partition_paths(
            connection, layout.CHARGES, tenant_key, from_day, until_day
        )
    return installation.lake.scan(paths["path"].to_list(), CHARGES).collect()
