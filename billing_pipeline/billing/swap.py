"""Plan swap: what subscriptions would have paid on other plans for the same usage."""

import dataclasses
from collections.abc import Sequence

import polars as pl

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.schema import PLAN_COMPARISON, PLAN_RECOMMENDATIONS
from billing_pipeline.billing.spans import subscription_spans
from billing_pipeline.rating.price_book import price_book
from billing_pipeline.rating.rate import rate
from billing_pipeline.vocabulary.money import AMOUNT, exact_product
from billing_pipeline.vocabulary.periods import Period, days_between

_ONCE = ("one_time", "termination")


def compare_plans(
    facts: BillingFacts,
    events: pl.DataFrame,
    rate_card_prices: pl.DataFrame,
    plan_keys: Sequence[str],
    window: Period,
) -> pl.DataFrame:
    """Price the same subscriptions and events on each of some plans, by the code that bills.

    `events` are the USAGE_EVENTS of all subscriptions in `facts` over `window`. Charges count by
    the days of their service inside the window; what is charged once does not count. A plan that
    cannot price every event is not recommended, and nor is one in another currency; of equally
    cheap plans the one the subscription has is.

    Shape: one PLAN_COMPARISON row per subscription active in the window and plan, ordered.
    """
    accounts = facts.accounts.get_column("account_key")
    current = (
        subscription_spans(facts, accounts)
        .group_by("subscription_key")
        .agg(current_plan=pl.col("plan_key").sort_by("span_from").last())
    )
    eligible = sorted({*plan_keys, *current.get_column("current_plan")})
    paid = pl.concat(
        [_paid_on(facts, events, rate_card_prices, plan_key, window) for plan_key in eligible]
    ).join(current, on="subscription_key", how="inner", validate="m:1")
    offered = paid.filter(
        pl.col("plan_key").is_in(list(plan_keys)) | (pl.col("plan_key") == pl.col("current_plan"))
    )
    return PLAN_COMPARISON.conform(_recommended(offered).sort("subscription_key", "plan_key"))


def recommendations(comparison: pl.DataFrame, window: Period) -> pl.DataFrame:
    """The best plan of each compared subscription beside the one it has.

    Shape: one PLAN_RECOMMENDATIONS row per subscription, greatest saving first. `comparison` is
    PLAN_COMPARISON.
    """
    current = comparison.filter("is_current").select(
        "subscription_key", "account_key", current_plan="plan_key", current_amount="amount"
    )
    best = comparison.filter("is_recommended").select(
        "subscription_key",
        "saving",
        "currency",
        recommended_plan="plan_key",
        recommended_amount="amount",
    )
    return PLAN_RECOMMENDATIONS.conform(
        current.join(best, on="subscription_key", how="inner", validate="1:1")
        .with_columns(
            window_from=pl.lit(window.period_from), window_until=pl.lit(window.period_until)
        )
        .sort("saving", "subscription_key", descending=[True, False])
    )


def _paid_on(
    facts: BillingFacts,
    events: pl.DataFrame,
    rate_card_prices: pl.DataFrame,
    plan_key: str,
    window: Period,
) -> pl.DataFrame:
    """What every subscription pays on one plan for its service in the window."""
    swapped = facts.subscriptions.with_columns(plan_key=pl.lit(plan_key))
    zone = facts.tenant.time_zone
    book = price_book(facts.catalog, swapped, rate_card_prices, zone, accounts=facts.accounts)
    rated = rate(events, book)
    on_plan = dataclasses.replace(
        facts,
        subscriptions=swapped,
        subscription_changes=facts.subscription_changes.with_columns(
            plan_key=pl.lit(None, dtype=pl.String)
        ),
        rated_usage=rated.accepted.lazy(),
    )
    accounts = facts.accounts.get_column("account_key")
    paid = _inside(compute_charges(on_plan, accounts, window.period_until), window)
    unpriced = (
        events.join(
            rated.accepted.select("file_key", "record_number"),
            on=["file_key", "record_number"],
            how="anti",
        )
        .group_by("subscription_key")
        .agg(unpriced_events=pl.len().cast(pl.Int64))
    )
    return (
        swapped.filter(
            pl.col("started_on") < window.period_until,
            pl.col("ended_on").is_null() | (pl.col("ended_on") > window.period_from),
        )
        .select("account_key", "subscription_key", "plan_key")
        .join(paid, on="subscription_key", how="left", validate="1:1")
        .join(unpriced, on="subscription_key", how="left", validate="1:1")
        .with_columns(
            # No charge, no event left over: known to be nothing.
            pl.col("amount").fill_null(pl.lit(0).cast(AMOUNT)),
            pl.col("unpriced_events").fill_null(0),
            currency=pl.lit(facts.catalog.plan_by_key[plan_key].currency),
        )
    )


def _inside(charges: pl.DataFrame, window: Period) -> pl.DataFrame:
    """Sum charges per subscription, each by the days of its service inside the window."""
    inside = days_between(
        pl.max_horizontal("service_from", pl.lit(window.period_from)),
        pl.min_horizontal("service_until", pl.lit(window.period_until)),
    ).clip(lower_bound=0)
    whole = days_between(pl.col("service_from"), pl.col("service_until"))
    return (
        charges.filter(~pl.col("charge_kind").is_in(_ONCE))
        .with_columns(amount=exact_product(pl.col("amount"), inside, over=whole))
        .group_by("subscription_key")
        .agg(pl.col("amount").sum())
    )


def _recommended(offered: pl.DataFrame) -> pl.DataFrame:
    """Compare each plan with the subscription's own and recommend the cheapest that fits."""
    is_current = pl.col("plan_key") == pl.col("current_plan")
    known = offered.with_columns(
        is_current=is_current,
        current_amount=pl.col("amount").filter(is_current).first().over("subscription_key"),
        current_currency=pl.col("currency").filter(is_current).first().over("subscription_key"),
    )
    fits = (pl.col("unpriced_events") == 0) & (pl.col("currency") == pl.col("current_currency"))
    return (
        known.with_columns(saving=pl.col("current_amount") - pl.col("amount"), fits=fits)
        .sort("subscription_key", "fits", "amount", "is_current", "plan_key", descending=_ORDER)
        .with_columns(
            is_recommended=(pl.int_range(pl.len()).over("subscription_key") == 0) & pl.col("fits")
        )
    )


_ORDER = [False, True, False, True, False]
