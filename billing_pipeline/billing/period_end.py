"""Changes that take effect when a billing period ends: the day they hold from."""

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.spans import STEP, subscription_spans
from billing_pipeline.customers.schema import AGREED_PRICES, SUBSCRIPTION_CHANGES
from billing_pipeline.vocabulary.periods import boundary, period_index

_TERMS = ["plan_key", "quantity", "status"]
_PRICE = ["subscription_key", "price_key"]


def resolved_changes(facts: BillingFacts, at_period_end: pl.DataFrame) -> pl.DataFrame:
    """The changes of `facts` with those that wait for the end of the period they were asked in.

    Of several changes that fall on one day, what the later row says wins.

    Shape: SUBSCRIPTION_CHANGES, one row per subscription and day. Both frames are
    SUBSCRIPTION_CHANGES; `at_period_end` has the day asked as `effective_on`.
    """
    moved = _at_the_next_turn(facts, at_period_end, "effective_on")
    everything = pl.concat([facts.subscription_changes, moved.select(SUBSCRIPTION_CHANGES.names)])
    return SUBSCRIPTION_CHANGES.conform(
        everything.group_by("subscription_key", "effective_on", maintain_order=True)
        .agg(pl.col(_TERMS).drop_nulls().last())
        .sort("subscription_key", "effective_on")
    )


def resolved_agreed_prices(facts: BillingFacts, at_period_end: pl.DataFrame) -> pl.DataFrame:
    """The agreed prices of `facts` with those that wait for the end of a period.

    A price that waits ends the one before it, and is ended by the one after it.

    Shape: AGREED_PRICES, as both frames; `at_period_end` has the day asked as `valid_from`.
    """
    moved = _at_the_next_turn(facts, at_period_end, "valid_from")
    standing = facts.agreed_prices.with_columns(waited=pl.lit(value=False))
    waited = moved.select(*AGREED_PRICES.names, waited=pl.lit(value=True))
    ordered = pl.concat([standing, waited]).sort(*_PRICE, "valid_from", maintain_order=True)
    next_from, next_waited = (
        pl.col(name).shift(-1).over(_PRICE) for name in ("valid_from", "waited")
    )
    goes_on = pl.col("valid_until").is_null() | (pl.col("valid_until") > next_from)
    is_ended = goes_on & (pl.col("waited") | next_waited) & next_from.is_not_null()
    ended = ordered.with_columns(
        valid_until=pl.when(is_ended).then(next_from).otherwise("valid_until")
    )
    # Of two prices that come to hold from one day, the later row holds.
    held = pl.col("valid_until").is_null() | (pl.col("valid_from") < pl.col("valid_until"))
    return AGREED_PRICES.conform(ended.filter(held))


def _at_the_next_turn(facts: BillingFacts, asked: pl.DataFrame, day: str) -> pl.DataFrame:
    """The rows with the day asked moved to the turn of the period it lies in, in their order.

    The period is that of the plan in force on the day asked, as the changes of `facts` have it;
    asked on the first day of a period, a change holds from the next one.
    """
    spans = subscription_spans(facts, facts.accounts.get_column("account_key"))
    in_force = (
        asked.with_row_index("asked")
        .sort(day)
        .join_asof(
            spans.select(
                "subscription_key", "span_from", "anchor_on", "step_months", "step_days"
            ).sort("span_from"),
            left_on=day,
            right_on="span_from",
            by="subscription_key",
            strategy="backward",
            check_sortedness=False,  # both sides are sorted by day
        )
    )
    index = period_index(pl.col("anchor_on"), pl.col(day), STEP)
    # Asked before the subscription began, a change holds from its first day.
    turn = pl.coalesce(boundary(pl.col("anchor_on"), index + 1, STEP), day)
    return in_force.with_columns(turn.alias(day)).sort("asked")
