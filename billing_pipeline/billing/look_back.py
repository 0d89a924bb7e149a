"""How far back a run recomputes: whole billing periods, per subscription."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.history import plan_spans
from billing_pipeline.billing.schema import POSTED
from billing_pipeline.billing.spans import STEP, subscription_spans
from billing_pipeline.vocabulary.periods import boundary, period_index

_EVERYTHING = dt.date(1, 1, 1)
_ANCHOR = pl.col("anchor_on")


def with_look_back(spans: pl.DataFrame, bill_day: dt.date, periods: int | None) -> pl.DataFrame:
    """Add `scope_from`: services that began before it are left as they were posted.

    It lies `periods` billing periods before the one that contains `bill_day`, and always where a
    period of the subscription's plan at that time begins, so that a period is recomputed
    entirely or not at all. Without `periods` everything is in scope.
    """
    if periods is None:
        return spans.with_columns(scope_from=pl.lit(_EVERYTHING))
    reach = period_index(_ANCHOR, pl.lit(bill_day), STEP) - periods
    reached = plan_spans(spans).with_columns(
        reach=boundary(_ANCHOR, reach, STEP).min().over("subscription_key")
    )
    period_from = boundary(_ANCHOR, period_index(_ANCHOR, pl.col("reach"), STEP), STEP)
    is_cut = (pl.col("span_from") <= pl.col("reach")) & (
        pl.col("span_until").is_null() | (pl.col("reach") < pl.col("span_until"))
    )
    snapped = pl.when(is_cut).then(pl.max_horizontal(period_from, "span_from")).otherwise("reach")
    starts = reached.group_by("subscription_key").agg(scope_from=snapped.min())
    return spans.join(starts, on="subscription_key", how="left", validate="m:1")


def posted_in_look_back(
    facts: BillingFacts, account_keys: pl.Series, posted: pl.DataFrame, bill_day: dt.date
) -> pl.DataFrame:
    """Postings that `compute_charges` of the same arguments answers for, as POSTED.

    Postings of the accounts outside the look-back stay as they are; postings of subscriptions
    that are no longer known are in scope and will be withdrawn.
    """
    spans = with_look_back(
        subscription_spans(facts, account_keys), bill_day, facts.tenant.look_back_periods
    )
    starts = spans.select("subscription_key", "scope_from").unique(maintain_order=True)
    owned = posted.filter(pl.col("account_key").is_in(account_keys.unique().implode()))
    scoped = owned.join(starts, on="subscription_key", how="left", validate="m:1")
    return POSTED.conform(
        scoped.filter(
            pl.col("scope_from").is_null() | (pl.col("service_from") >= pl.col("scope_from"))
        )
    )
