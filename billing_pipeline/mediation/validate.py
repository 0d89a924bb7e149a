"""Verdicts on records of a block: what is filtered, what is suspended and why, in order.

A verdict stands in the list only if it concerns at least one record, so that a clean block
costs nothing. The first verdict that fits a record decides.
"""

import datetime as dt
from typing import Literal, NamedTuple

import polars as pl

from billing_pipeline.mediation.fields import ReadFields
from billing_pipeline.mediation.order_of_times import out_of_order
from billing_pipeline.mediation.plan import Plan
from billing_pipeline.vocabulary.money import QUANTITY
from billing_pipeline.vocabulary.outcome import FilterReason, SuspenseReason

Side = Literal["filtered", "suspended"]

LandedAt = dt.datetime | pl.Series | None
"""When the file of a record landed: one instant, one for each record, or not to be checked."""

FILTERED: Side = "filtered"
SUSPENDED: Side = "suspended"

_NO_LATER_THAN = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
_REQUIRED = ("service_identifier", "started_at", "quantity", "usage_type", "unit", "identity")


class Verdict(NamedTuple):
    """What is to be done with the records of a mask; `field` or `remark` explain it."""

    mask: pl.Series
    kind: Side
    reason: str
    field: str | None = None
    remark: str | None = None


def verdicts(
    plan: Plan, read: ReadFields, events: pl.DataFrame, landed_at: LandedAt
) -> list[Verdict]:
    """All verdicts on a block, the weightiest first.

    Record type, then text that cannot be read, then what is missing, then filters of the feed,
    then plausibility.
    """
    found = [
        *_by_type(plan, read),
        *_unreadable(read),
        *_missing(read, events),
        *_by_filter(plan, read),
        *_out_of_order(plan, read),
        *_implausible(plan, events, landed_at),
    ]
    return [verdict for verdict in found if verdict.mask.any()]


def _suspended(mask: pl.Series, reason: SuspenseReason, remark: str | None = None) -> Verdict:
    return Verdict(mask, SUSPENDED, reason.value, None, remark)


def _by_type(plan: Plan, read: ReadFields) -> list[Verdict]:
    records = plan.feed.records
    if plan.selector is None or records is None:
        return []
    found = []
    known = pl.repeat(False, read.values.height, dtype=pl.Boolean, eager=True)  # noqa: FBT003
    for kind, fits in zip(records.types, _type_masks(plan, read), strict=True):
        known |= fits
        if kind.action == "filter":
            found.append(Verdict(fits, FILTERED, kind.reason.value))
        elif kind.action == "control":
            found.append(Verdict(fits, FILTERED, FilterReason.CONTROL_RECORD.value))
    remark = f"{records.selector} is none of the declared values"
    found.append(_suspended(~known, SuspenseReason.UNKNOWN_RECORD_TYPE, remark))
    return found


def _type_masks(plan: Plan, read: ReadFields) -> list[pl.Series]:
    """One mask per declared record type; a record is of the first type that fits."""
    records = plan.feed.records
    if plan.selector is None or records is None:
        return []
    selected = read.values.select(plan.selector.alias("selector")).to_series()
    masks: list[pl.Series] = []
    for kind in records.types:
        fits = (
            selected.is_in(kind.values)
            if kind.pattern is None
            else selected.str.contains(f"^(?:{kind.pattern})$")
        ).fill_null(value="" in kind.values)
        for earlier in masks:
            fits &= ~earlier
        masks.append(fits)
    return masks


def reversal_mask(plan: Plan, read: ReadFields) -> pl.Series:
    """Which records take back another."""
    mask = pl.repeat(False, read.values.height, dtype=pl.Boolean, eager=True)  # noqa: FBT003
    if plan.feed.records is not None:
        for kind, fits in zip(plan.feed.records.types, _type_masks(plan, read), strict=True):
            if kind.action == "reversal":
                mask |= fits
    return mask


def _unreadable(read: ReadFields) -> list[Verdict]:
    return [
        Verdict(mask, SUSPENDED, reason.value, name) for (name, reason), mask in read.faults.items()
    ]


def _missing(read: ReadFields, events: pl.DataFrame) -> list[Verdict]:
    declared = [
        Verdict(mask, SUSPENDED, SuspenseReason.MISSING_REQUIRED.value, name)
        for name, mask in read.missing.items()
    ]
    needed = [
        _suspended(events[name].is_null(), SuspenseReason.MISSING_REQUIRED, f"{name} is missing")
        for name in _REQUIRED
        if events[name].null_count()
    ]
    return [*declared, *needed]


def _by_filter(plan: Plan, read: ReadFields) -> list[Verdict]:
    found = [
        Verdict(_truth(read, condition), FILTERED, rule.reason.value)
        for condition, rule in zip(plan.filters, plan.feed.filters, strict=True)
    ]
    if plan.billable is not None:
        mask = ~_truth(read, plan.billable)
        found.append(Verdict(mask, FILTERED, FilterReason.NOT_BILLABLE.value))
    return found


def _truth(read: ReadFields, condition: pl.Expr) -> pl.Series:
    return read.values.select(condition.alias("truth")).to_series().fill_null(value=False)


def _out_of_order(plan: Plan, read: ReadFields) -> list[Verdict]:
    mask = out_of_order(plan.feed.checks, read)
    remark = f"{', '.join(plan.feed.checks.in_order)} do not follow each other"
    return [] if mask is None else [_suspended(mask, SuspenseReason.TIMES_OUT_OF_ORDER, remark)]


def _implausible(plan: Plan, events: pl.DataFrame, landed_at: LandedAt) -> list[Verdict]:
    checks = plan.feed.checks
    quantity, started = pl.col("quantity"), pl.col("started_at")
    earliest = dt.datetime.fromisoformat(checks.not_before).replace(tzinfo=dt.UTC)
    tests: list[tuple[pl.Expr, SuspenseReason, str]] = [
        (
            (started < earliest) | (started >= _NO_LATER_THAN),
            SuspenseReason.INVALID_TIME,
            f"not between {checks.not_before} and 2100",
        )
    ]
    if landed_at is not None:
        until = landed_at + dt.timedelta(minutes=checks.future_minutes)
        tests.append((started > until, SuspenseReason.FUTURE_EVENT, "after the file landed"))
        if checks.max_age_days is not None:
            oldest = landed_at - dt.timedelta(days=checks.max_age_days)
            remark = f"older than {checks.max_age_days} days when the file landed"
            tests.append((started < oldest, SuspenseReason.TOO_LATE, remark))
    if checks.negative_quantity == "suspense":
        tests.append((quantity < 0, SuspenseReason.NEGATIVE_QUANTITY, "quantity below zero"))
    if checks.max_quantity is not None:
        limit = pl.lit(checks.max_quantity, QUANTITY)
        remark = f"more than {checks.max_quantity}"
        tests.append((quantity.abs() > limit, SuspenseReason.IMPLAUSIBLE_QUANTITY, remark))
    masks = events.select(test.alias(str(at)) for at, (test, _, _) in enumerate(tests))
    return [
        _suspended(masks[str(at)].fill_null(value=False), reason, remark)
        for at, (_, reason, remark) in enumerate(tests)
    ]
