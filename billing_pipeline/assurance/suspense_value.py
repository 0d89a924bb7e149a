"""What records in suspense are probably worth, and when they want a person."""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from billing_pipeline.assurance.schema import FINDINGS
from billing_pipeline.customers.policies import SuspensePolicy
from billing_pipeline.vocabulary.money import exact_product


class Waiting(NamedTuple):
    """What waits at one tenant: `value` and `rated` in its currency, `rated` of the last month."""

    records: int
    oldest_seen_at: dt.datetime
    value: Decimal
    unvalued: int
    rated: Decimal
    currency: str


def average_values(rated: pl.DataFrame) -> pl.DataFrame:
    """What a unit and an event of each feed were worth: feed_key, currency, per_unit, per_event.

    `rated` has sums: feed_key, usage_type, currency, events, quantity, amount. Of several
    currencies the one with most events counts. A unit has a price where all events of the feed
    are of one usage type; else seconds and messages would be added up.
    """
    kinds = pl.col("usage_type").n_unique().over("feed_key", "currency")
    sums = (
        rated.with_columns(kinds=kinds)
        .group_by("feed_key", "currency")
        .agg(pl.col("events", "quantity", "amount").sum(), pl.col("kinds").max())
        .sort(["feed_key", "events", "currency"], descending=[False, True, False])
        .unique("feed_key", keep="first", maintain_order=True)
    )
    is_plain = (pl.col("kinds") == 1) & (pl.col("quantity") > 0)
    units = pl.when(is_plain).then(pl.col("quantity"))
    return sums.select(
        "feed_key",
        "currency",
        per_unit=exact_product(pl.col("amount"), over=units),
        per_event=exact_product(pl.col("amount"), over=pl.col("events")),
    )


def with_estimated_value(records: pl.DataFrame, averages: pl.DataFrame) -> pl.DataFrame:
    """Records (feed_key, quantity) with `estimated_value` and `currency`; null: no rated usage.

    Quantity times the feed's average per unit, or its average per event where a record's quantity
    cannot be read.
    """
    known = records.join(averages, on="feed_key", how="left", validate="m:1", maintain_order="left")
    by_unit = exact_product(pl.col("quantity"), pl.col("per_unit"))
    return known.with_columns(estimated_value=pl.coalesce(by_unit, "per_event")).drop(
        "per_unit", "per_event"
    )


def suspense_findings(
    waiting: dict[str, Waiting], policies: dict[str, SuspensePolicy], now: dt.datetime
) -> pl.DataFrame:
    """FINDINGS, to warn: tenants whose suspense is older or worth more than their policy says."""
    found = [
        ("suspense", "warn", tenant_key, f"{'; '.join(too_much)}. {_WHAT_TO_DO}")
        for tenant_key, there in sorted(waiting.items())
        if (too_much := _beyond(there, policies[tenant_key], now))
    ]
    return FINDINGS.conform(pl.DataFrame(found, schema=FINDINGS.polars_schema, orient="row"))


_WHAT_TO_DO = (
    "Look with `billing suspense list`, mend the catalog, the customers or the feed, and apply; "
    "what nobody can mend is written off with `billing suspense write-off`."
)


def _beyond(there: Waiting, policy: SuspensePolicy, now: dt.datetime) -> list[str]:
    """In what the policy is not kept, in words."""
    age = (now - there.oldest_seen_at).days
    limit = most_value(there, policy)
    beyond = []
    if age > policy.warn_after_days:
        beyond.append(
            f"the oldest of {there.records} records has waited {age} days, more than "
            f"{policy.warn_after_days}"
        )
    if there.value > limit:
        beyond.append(
            f"{there.records} records are worth about {there.value:.2f} {there.currency}, more "
            f"than {limit:.2f}"
        )
    return beyond


def most_value(there: Waiting, policy: SuspensePolicy) -> Decimal:
    """How much may wait before somebody is asked: the fixed amount, or a share of rated usage."""
    if policy.warn_above is not None:
        return policy.warn_above
    return there.rated * policy.warn_above_percent / 100
