"""Rate usage days again without making the result current: what would change, in money."""

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.due import usage_window
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.look_back import posted_in_look_back
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.books import charges as posted
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.lake.store import Lake
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.compute import scan_rated_usage
from billing_pipeline.orchestration.steps.facts import (
    TenantFacts,
    billing_facts,
    read_rate_cards,
)
from billing_pipeline.orchestration.steps.rate import event_parts, tenant_price_book
from billing_pipeline.rating.rate import rate
from billing_pipeline.rating.schema import RATED_USAGE


@dataclass(frozen=True)
class Trial:
    """What a trial found: differences as TO_POST, and how many events were rated for it."""

    differences: pl.DataFrame
    events: int
    suspended: int


@dataclass(frozen=True)
class _TriedDays:
    paths: list[str]
    events: int
    suspended: int


def try_days(
    installation: Installation, facts: TenantFacts, days: Sequence[dt.date], as_of: dt.date
) -> Trial:
    """What reconciliation would post for all accounts if `days` were rated as things are now.

    Compares with all that was posted; `as_of` is the bill day the accounts are computed for. One
    usage day is in memory at a time; nothing is written to the books or the lake.
    """
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    account_keys = facts.accounts["account_key"]
    start, end = usage_window(known, account_keys, as_of)
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        scratch = Lake(folder)
        tried = _rate_into(scratch, installation, facts, days)
        as_is = [
            scan_rated_usage(installation, facts.tenant.key, since, until)
            for since, until in _around(days, start.date(), end.date() + ONE_DAY)
        ]
        usage = pl.concat([*as_is, scratch.scan(tried.paths, RATED_USAGE)])
        computed = compute_charges(billing_facts(facts, usage), account_keys, as_of)
    differences = reconcile(computed, _posted(installation, known, account_keys, as_of))
    return Trial(differences, tried.events, tried.suspended)


def _rate_into(
    scratch: Lake, installation: Installation, facts: TenantFacts, days: Sequence[dt.date]
) -> _TriedDays:
    book = tenant_price_book(facts, read_rate_cards(installation, facts.tenant.key))
    paths: list[str] = []
    events = suspended = 0
    for day in days:
        outcome = rate(pl.concat(event_parts(installation, facts.tenant.key, day)), book)
        kept = RATED_USAGE.conform(outcome.accepted)
        paths += [scratch.write(kept, layout.RATED_USAGE).path] if kept.height else []
        events += kept.height + outcome.suspended.height
        suspended += outcome.suspended.height
    return _TriedDays(paths, events, suspended)


def _around(
    days: Sequence[dt.date], since: dt.date, end: dt.date
) -> Iterator[tuple[dt.date, dt.date]]:
    """Half-open spans of [since, end) that hold none of the days."""
    for day in sorted(days):
        if since <= day < end:
            yield since, day
            since = day + ONE_DAY
    yield since, max(since, end)


def _posted(
    installation: Installation, known: BillingFacts, account_keys: pl.Series, as_of: dt.date
) -> pl.DataFrame:
    tenant_key = known.tenant.key
    with tenant_scope(installation.engine, tenant_key) as connection:
        before = posted.posted_charges(connection, tenant_key, account_keys)
    return posted_in_look_back(known, account_keys, before, as_of)
