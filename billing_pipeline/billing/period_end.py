"""Changes that take effect when a billing period ends: the day they hold from."""

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.spans import STEP, subscription_spans
from billing_pipeline.customers.schema import SUBSCRIPTION_CHANGES
from billing_pipeline.vocabulary.periods import boundary, period_index

_TERMS = ["plan_key", "quantity", "status"]


def resolved_changes(facts: BillingFacts, at_period_end: pl.DataFrame) -> pl.DataFrame:
    """The changes of `facts` with those that wait for the end of the period they were asked in.

    The period is that of the plan in force on the day asked, as the other changes have it; asked
    on the first day of a period, a change holds from the next one. Of several changes that fall
    on one day, what the later row says wins.

    Shape: SUBSCRIPTION_CHANGES, one row per subscription and day. Both frames are
    SUBSCRIPTION_CHANGES; `at_period_end` has the day asked as `effective_on`.
    """
    spans = subscription_spans(facts, facts.accounts.get_column("account_key"))
    asked = at_period_end.with_row_index("asked").sort("effective_on")
    in_force = asked.join_asof(
        spans.select("subscription_key", "span_from", "anchor_on", "step_months", "step_days").sort(
            "span_from"
        ),
        left_on="effective_on",
        right_on="span_from",
        by="subscription_key",
        strategy="backward",
        check_sortedness=False,  # both sides are sorted by day
    )
    index = period_index(pl.col("anchor_on"), pl.col("effective_on"), STEP)
    moved = in_force.with_columns(
        # Asked before the subscription began, a change holds from its first day.
        effective_on=pl.coalesce(boundary(pl.col("anchor_on"), index + 1, STEP), "effective_on")
    ).sort("asked")
    everything = pl.concat([facts.subscription_changes, moved.select(SUBSCRIPTION_CHANGES.names)])
    return SUBSCRIPTION_CHANGES.conform(
        everything.group_by("subscription_key", "effective_on", maintain_order=True)
        .agg(pl.col(_TERMS).drop_nulls().last())
        .sort("subscription_key", "effective_on")
    )
