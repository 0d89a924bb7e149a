"""Rated usage that no charge will take: what a control reports beside a run."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.history import plan_spans
from billing_pipeline.billing.prices import at_agreed_prices
from billing_pipeline.billing.schema import UNBILLED_USAGE
from billing_pipeline.billing.spans import subscription_spans
from billing_pipeline.billing.usage_prices import usage_prices
from billing_pipeline.vocabulary.periods import day_starts_at, local_day


def unbilled_usage(facts: BillingFacts, account_keys: pl.Series, bill_day: dt.date) -> pl.DataFrame:
    """Count rated usage before `bill_day` that lies in no plan of its subscription.

    It was rated under facts that have changed since: the subscription ended earlier, started
    later or has another plan. Rating its days again suspends it or prices it anew; until then it
    is not billed, and this says so.

    Shape: one UNBILLED_USAGE row per subscription, price and local day, ordered.
    """
    zone = facts.tenant.time_zone
    of_accounts = account_keys.unique().rename("account_key").to_frame().lazy()
    usage = (
        facts.rated_usage.filter(pl.col("started_at") < day_starts_at(bill_day, zone))
        .join(of_accounts, on="account_key", how="semi")
        .group_by(
            "account_key",
            "subscription_key",
            "price_key",
            local_date=local_day(pl.col("started_at"), zone),
        )
        .agg(pl.col("quantity").sum(), events=pl.len().cast(pl.Int64))
        .collect(engine="streaming")
    )
    agreed = at_agreed_prices(facts, account_keys)
    spans = plan_spans(subscription_spans(agreed, account_keys))
    placed = usage.sort("local_date").join_asof(
        spans.select("subscription_key", "plan_key", "span_from", "span_until").sort("span_from"),
        left_on="local_date",
        right_on="span_from",
        by="subscription_key",
        strategy="backward",
        # Both sides were sorted a line ago; Polars cannot see it inside groups.
        check_sortedness=False,
    )
    billed = placed.filter(
        pl.col("span_until").is_null() | (pl.col("local_date") < pl.col("span_until"))
    ).join(usage_prices(agreed.catalog), on=["plan_key", "price_key"], how="semi")
    day = ["subscription_key", "price_key", "local_date"]
    return UNBILLED_USAGE.conform(usage.join(billed, on=day, how="anti").sort(day))
