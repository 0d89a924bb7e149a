"""Dated history of subscriptions: what plan, quantity and status held from which day."""

import polars as pl

_TERMS = ["plan_key", "quantity", "status"]

ACTIVE = "active"
SUSPENDED = "suspended"
CANCELLED = "cancelled"


def subscription_history(subscriptions: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Cut each subscription at the days its plan, quantity or status changes.

    The day of a change belongs to what it changes to. Changes before the start hold from the
    start; of several on one day the later row wins; one that changes nothing cuts nothing. A
    subscription that is cancelled ends that day, and `ended_on` says so.

    Shape: one row per subscription and span of unchanged terms, SUBSCRIPTIONS with `status`,
    `span_from`, `span_until` (null is open).
    """
    owners = changes.select("subscription_key").unique()
    # Most subscriptions never change; they need no windows over their history.
    unchanged = subscriptions.join(owners, on="subscription_key", how="anti").with_columns(
        status=pl.lit(ACTIVE), span_from=pl.col("started_on"), span_until=pl.col("ended_on")
    )
    changed = subscriptions.join(owners, on="subscription_key", how="semi")
    spans = pl.concat([unchanged, _cut(changed, changes).select(unchanged.columns)])
    return spans.filter(
        pl.col("span_until").is_null() | (pl.col("span_from") < pl.col("span_until"))
    )


def _cut(subscriptions: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Spans of subscriptions that changed; a span may be empty."""
    starts = subscriptions.with_columns(
        status=pl.lit(ACTIVE), effective_on=pl.col("started_on"), change=pl.lit(0, dtype=pl.UInt32)
    ).select("subscription_key", "effective_on", "change", *_TERMS)
    known = _changes_within(subscriptions, changes)
    dated = (
        pl.concat([starts, known.select(starts.columns)])
        .sort("subscription_key", "effective_on", "change")
        .with_columns(pl.col(_TERMS).forward_fill().over("subscription_key"))
        .unique(["subscription_key", "effective_on"], keep="last", maintain_order=True)
    )
    spans = _without_repetition(dated).join(
        subscriptions.drop("plan_key", "quantity"),
        on="subscription_key",
        how="inner",
        validate="m:1",
        maintain_order="left",
    )
    return _until_the_next(spans)


def _changes_within(subscriptions: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Changes of these subscriptions, numbered as given, none before its subscription."""
    return (
        changes.with_row_index("change", offset=1)
        .join(
            subscriptions.select("subscription_key", "started_on"),
            on="subscription_key",
            how="inner",
            validate="m:1",
        )
        .with_columns(effective_on=pl.max_horizontal("effective_on", "started_on"))
    )


def _without_repetition(dated: pl.DataFrame) -> pl.DataFrame:
    """Only the rows that differ from the row before of the same subscription."""
    is_same = pl.all_horizontal(
        pl.col(term).eq_missing(pl.col(term).shift(1).over("subscription_key")) for term in _TERMS
    )
    return dated.filter(~is_same).drop("change")


def _until_the_next(spans: pl.DataFrame) -> pl.DataFrame:
    """Close each span where the next begins or the subscription ends."""
    cancelled_on = (
        pl.col("effective_on").filter(pl.col("status") == CANCELLED).min().over("subscription_key")
    )
    ended = spans.with_columns(
        ended_on=pl.min_horizontal("ended_on", cancelled_on),
        span_from=pl.col("effective_on"),
        span_until=pl.col("effective_on").shift(-1).over("subscription_key"),
    ).drop("effective_on")
    return ended.with_columns(span_until=pl.min_horizontal("span_until", "ended_on"))


def plan_spans(spans: pl.DataFrame) -> pl.DataFrame:
    """Join neighbouring spans of one plan, whatever their quantity and status.

    Usage belongs to the plan: a change of quantity does not split a period's tiers.
    Shape: one row per subscription and span of one plan, terms of its first span.
    """
    is_cut = pl.col("subscription_key").is_duplicated()
    whole = spans.filter(~is_cut)
    return pl.concat([whole, _joined(spans.filter(is_cut)).select(whole.columns)])


def _joined(spans: pl.DataFrame) -> pl.DataFrame:
    """Spans with neighbours of the same plan made one."""
    ordered = spans.sort("subscription_key", "span_from")
    plan = pl.col("plan_key")
    is_new_plan = plan.ne_missing(plan.shift(1).over("subscription_key"))
    numbered = ordered.with_columns(plan_number=is_new_plan.cum_sum())
    same = [name for name in spans.columns if name not in ("span_from", "span_until")]
    return (
        numbered.group_by("subscription_key", "plan_number", maintain_order=True)
        .agg(
            pl.col([name for name in same if name != "subscription_key"]).first(),
            span_from=pl.col("span_from").first(),
            span_until=pl.col("span_until").last(),
        )
        .drop("plan_number")
    )
