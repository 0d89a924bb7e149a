"""Compare plans for a tenant's subscriptions by the code that rates and bills them."""

import dataclasses
import datetime as dt

import polars as pl

from billing_pipeline.billing.swap import compare_plans, recommendations
from billing_pipeline.books import manifest
from billing_pipeline.books.recommendations import replace_recommendations
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.mediation.schema import USAGE_EVENTS
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import (
    TenantFacts,
    billing_facts,
    read_rate_cards,
)
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.periods import Period, boundary_on, day_starts_at


def recommend_plans(
    installation: Installation,
    facts: TenantFacts,
    account_keys: pl.Series,
    today: dt.date,
    months: int,
    now: dt.datetime,
) -> pl.DataFrame:
    """Find the best plan of every subscription of some accounts over the last months.

    PLAN_RECOMMENDATIONS, greatest saving first; they are kept for people to read.
    """
    window = Period(boundary_on(today, "month", -months), today)
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    named = account_keys.unique().rename("account_key").to_frame()
    of_accounts = dataclasses.replace(
        known, subscriptions=known.subscriptions.join(named, on="account_key", how="semi")
    )
    compared = compare_plans(
        of_accounts,
        _events(installation, facts, of_accounts.subscriptions, window),
        read_rate_cards(installation, facts.tenant.key),
        [plan.key for plan in facts.catalog.plans],
        window,
    )
    found = recommendations(compared, window)
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        replace_recommendations(connection, facts.tenant.key, found, now)
    return found


def _events(
    installation: Installation, facts: TenantFacts, subscriptions: pl.DataFrame, window: Period
) -> pl.DataFrame:
    """Usage events of the subscriptions on the local days of the window."""
    zone = facts.tenant.time_zone
    first = day_starts_at(window.period_from, zone)
    last = day_starts_at(window.period_until, zone)
    with tenant_scope(installation.engine, facts.tenant.key) as connection:
        paths = manifest.partition_paths(
            connection,
            layout.MEDIATED_USAGE,
            facts.tenant.key,
            first.date(),
            last.date() + ONE_DAY,
        )
    return (
        installation.lake.scan(paths["path"].to_list(), USAGE_EVENTS)
        .filter(pl.col("started_at") >= first, pl.col("started_at") < last)
        .join(subscriptions.lazy().select("subscription_key"), on="subscription_key", how="semi")
        .collect(engine="streaming")
    )
