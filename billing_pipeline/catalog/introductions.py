"""Teasers of usage prices: other terms in the first billing periods, as plans held for a time.

Whoever holds a plan with introductory usage prices holds a variant of it, `<plan>~until-<n>`,
in its first n billing periods, and changes to the plan itself where they end. Periods count from
the first that is charged, in the cycle of the plan, as introductory fees do.

Worked example: a minute at 0.05, for the first two periods 0.01; started on 15 January with months
from the 1st: calls of January and February cost 0.01, those of March 0.05.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.prices import UsagePrice
from billing_pipeline.vocabulary.periods import (
    CALENDAR_ANCHOR,
    DAYS_IN,
    MONTHS_IN,
    Step,
    boundary,
    period_index,
    plus_days,
)

VARIANT = "~"
"""What stands between the key of a plan and the name of a variant of it."""

_STEP = Step(months=pl.col("step_months"), days=pl.col("step_days"))
_STAGES = pl.Schema(
    {
        "plan_key": pl.String,
        "stage_key": pl.String,
        "after_periods": pl.Int32,
        "anchor_rule": pl.String,
        "step_months": pl.Int32,
        "step_days": pl.Int32,
    }
)


class Introduced(NamedTuple):
    """Variants of plans, and SUBSCRIPTIONS and SUBSCRIPTION_CHANGES that hold them."""

    variants: tuple[Plan, ...]
    subscriptions: pl.DataFrame
    subscription_changes: pl.DataFrame


def introduced(
    plans: Sequence[Plan],
    accounts: pl.DataFrame,
    subscriptions: pl.DataFrame,
    subscription_changes: pl.DataFrame,
) -> Introduced:
    """Give every subscription the introductory variants of its plans while they last.

    Frames are ACCOUNTS, SUBSCRIPTIONS and SUBSCRIPTION_CHANGES; plans without introductory usage
    prices stay as they are.
    """
    teased = [plan for plan in plans if _lengths(plan)]
    if not teased:
        return Introduced((), subscriptions, subscription_changes)
    held = _held(subscriptions, subscription_changes, plans, accounts)
    dated = held.join(_stage_table(teased), on="plan_key", how="inner").with_columns(
        begins=_begin()
    )
    day = pl.col("effective_on")
    first = (
        dated.filter(pl.col("begins") <= day)
        .sort("holding", "after_periods")
        .unique("holding", keep="last", maintain_order=True)
    )
    later = dated.filter(
        pl.col("begins") > day, pl.col("until").is_null() | (pl.col("begins") < pl.col("until"))
    ).sort("subscription_key", "begins", "after_periods")
    changes = _renamed(subscription_changes, first.filter(pl.col("change") > 0), "change")
    return Introduced(
        variants=tuple(variant for plan in teased for variant in _variants(plan)),
        subscriptions=_renamed(subscriptions, first.filter(pl.col("change") == 0), None),
        subscription_changes=pl.concat([changes, _further(changes, later)]),
    )


def _lengths(plan: Plan) -> list[int]:
    """After how many periods an introductory price of the plan ends, rising."""
    return sorted(
        {
            price.introductory.periods
            for price in plan.prices
            if isinstance(price, UsagePrice) and price.introductory is not None
        }
    )


def _variants(plan: Plan) -> list[Plan]:
    """The plan as it is until each of its introductions ends."""
    return [
        plan.model_copy(
            update={
                "key": _stage_key(plan, length),
                "prices": [
                    price.introduced()
                    if isinstance(price, UsagePrice)
                    and price.introductory is not None
                    and price.introductory.periods >= length
                    else price
                    for price in plan.prices
                ],
            }
        )
        for length in _lengths(plan)
    ]


def _stage_key(plan: Plan, length: int) -> str:
    return f"{plan.key}{VARIANT}until-{length}"


def _stage_table(plans: Sequence[Plan]) -> pl.DataFrame:
    """One row per plan and stage: the variant and after how many periods it begins."""
    rows = []
    for plan in plans:
        lengths = _lengths(plan)
        keys = [*(_stage_key(plan, length) for length in lengths), plan.key]
        cycle = plan.cycle
        rows += [
            (plan.key, key, after, cycle.anchor, MONTHS_IN[cycle.interval], DAYS_IN[cycle.interval])
            for key, after in zip(keys, (0, *lengths), strict=True)
        ]
    return pl.DataFrame(rows, schema=_STAGES, orient="row")


def _held(
    subscriptions: pl.DataFrame,
    changes: pl.DataFrame,
    plans: Sequence[Plan],
    accounts: pl.DataFrame,
) -> pl.DataFrame:
    """One row per plan a subscription is given: `effective_on`, `until`, `change` (0 the first).

    With `opened_on` of who pays and `charged_from`, the first day after the trial.
    """
    started = _with_opening(subscriptions, accounts)
    given = pl.concat(
        [
            started.select(
                "subscription_key",
                "plan_key",
                effective_on="started_on",
                change=pl.lit(0, dtype=pl.UInt32),
            ),
            changes.with_row_index("change", offset=1)
            .filter(pl.col("plan_key").is_not_null())
            .join(started.select("subscription_key", "started_on"), on="subscription_key")
            .select(
                "subscription_key",
                "plan_key",
                effective_on=pl.max_horizontal("effective_on", "started_on"),
                change=pl.col("change").cast(pl.UInt32),
            ),
        ]
    ).sort("subscription_key", "effective_on", "change")
    until = pl.col("effective_on").shift(-1).over("subscription_key")
    trials = {plan.key: plan.trial_days for plan in plans}
    trial = pl.col("plan_key").replace_strict(trials, default=0, return_dtype=pl.Int64)
    lasts = pl.col("until").is_null() | (pl.col("effective_on") < pl.col("until"))
    first_trial = trial.filter(lasts).first().over("subscription_key")
    return (
        given.with_columns(until=until)
        .with_columns(trial_days=first_trial)
        .join(
            started.select("subscription_key", "started_on", "opened_on"),
            on="subscription_key",
            validate="m:1",
        )
        .with_columns(charged_from=plus_days(pl.col("started_on"), pl.col("trial_days")))
        .with_row_index("holding")
    )


def _with_opening(subscriptions: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Subscriptions with the day their payer was opened, from which anniversaries count."""
    payers = accounts.select(payer_key="account_key", payer_opened_on="opened_on")
    opened = accounts.join(payers, on="payer_key", how="left", validate="m:1").select(
        "account_key", opened_on=pl.coalesce("payer_opened_on", "opened_on")
    )
    return subscriptions.join(opened, on="account_key", how="left", validate="m:1").with_columns(
        opened_on=pl.coalesce("opened_on", "started_on")
    )


def _begin() -> pl.Expr:
    """First day of a stage; the first stage has always begun."""
    anchor = (
        pl.when(pl.col("anchor_rule") == "calendar")
        .then(pl.lit(CALENDAR_ANCHOR))
        .otherwise("opened_on")
    )
    number = period_index(anchor, pl.col("charged_from"), _STEP) + pl.col("after_periods")
    return (
        pl.when(pl.col("after_periods") == 0)
        .then(pl.min_horizontal("started_on", "effective_on"))
        .otherwise(boundary(anchor, number, _STEP))
    )


def _renamed(rows: pl.DataFrame, stages: pl.DataFrame, change: str | None) -> pl.DataFrame:
    """Rows with the variant in place of the plan. Shape: row by row."""
    on = ["subscription_key"] if change is None else ["change"]
    names = stages.select(*on, "stage_key")
    numbered = rows.with_row_index("change", offset=1).with_columns(
        pl.col("change").cast(pl.UInt32)
    )
    return (
        numbered.join(names, on=on, how="left", validate="m:1", maintain_order="left")
        .with_columns(plan_key=pl.coalesce("stage_key", "plan_key"))
        .select(rows.columns)
    )


def _further(changes: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """Changes from one stage to the next, in the shape of the given ones."""
    told = later.select("subscription_key", effective_on="begins", plan_key="stage_key")
    missing = [name for name in changes.columns if name not in told.columns]
    return told.with_columns(
        pl.lit(None, dtype=changes.schema[name]).alias(name) for name in missing
    ).select(changes.columns)
