"""Which plan each subscription has on which local day."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class PlansHeld:
    """Plan codes by subscription: what it started with, and the changes of the few that changed.

    `first` has subscription_key, plan_code and has_changes; `changes` has subscription_key,
    effective_on and plan_code, one row per subscription and day, by day.
    """

    first: pl.DataFrame
    changes: pl.DataFrame

    def of(self, events: pl.DataFrame) -> pl.Series:
        """Plan code of each event, null if nobody knows its subscription. Shape: row by row.

        `events` has `subscription_key` and `local_start`, the tenant's wall clock.
        """
        held = events.select("subscription_key").join(
            self.first, on="subscription_key", how="left", validate="m:1", maintain_order="left"
        )
        codes = held.get_column("plan_code")
        if not held.get_column("has_changes").any():
            return codes
        changed = held.with_columns(
            position=pl.int_range(pl.len(), dtype=pl.UInt32),
            day=events.get_column("local_start").dt.date(),
        ).filter("has_changes")
        latest = changed.sort("day", "position").join_asof(
            self.changes,
            left_on="day",
            right_on="effective_on",
            by="subscription_key",
            strategy="backward",
            suffix="_now",
            check_sortedness=False,  # both sides are sorted by day
        )
        now = latest.select(pl.coalesce("plan_code_now", "plan_code")).to_series()
        return codes.scatter(latest.get_column("position"), now)


def plans_held(
    subscriptions: pl.DataFrame, changes: pl.DataFrame, codes: Mapping[str, int]
) -> PlansHeld:
    """Code the plans of SUBSCRIPTIONS and SUBSCRIPTION_CHANGES.

    The day of a change belongs to the new plan; of several changes on one day the later row wins.
    """
    plan_code = pl.col("plan_key").replace_strict(dict(codes), return_dtype=pl.UInt32)
    if not codes:
        plan_code = pl.lit(None, dtype=pl.UInt32)
    of_plans = changes.filter(pl.col("plan_key").is_not_null())
    changed = of_plans.get_column("subscription_key").unique()
    return PlansHeld(
        first=subscriptions.select(
            "subscription_key",
            plan_code=plan_code,
            has_changes=pl.col("subscription_key").is_in(changed.implode()),
        ),
        changes=of_plans.select("subscription_key", "effective_on", plan_code=plan_code)
        .unique(["subscription_key", "effective_on"], keep="last", maintain_order=True)
        .sort("effective_on", "subscription_key"),
    )
