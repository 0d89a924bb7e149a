"""Instants of a record that must follow each other: start, answer, end."""

import datetime as dt
from itertools import combinations

import polars as pl

from billing_pipeline.catalog.feeds import Checks
from billing_pipeline.mediation.fields import ReadFields

CLOCK_SKEW = "clock_skew"
"""The remark on a record whose clocks disagree by no more than is tolerated."""

# A local time that came twice or never may be off by an hour, and is remarked on already.
_UNSURE = r"ambiguous_time|nonexistent_time"


def out_of_order(checks: Checks, read: ReadFields) -> pl.Series | None:
    """Whether a record's times are further out of order than tolerated; None if not asked."""
    if not checks.in_order:
        return None
    beyond = _behind(checks, read, dt.timedelta(seconds=checks.skew_seconds))
    for flags in read.flags:
        beyond &= ~flags.str.contains(_UNSURE).fill_null(value=False)
    return beyond


def skewed(checks: Checks, read: ReadFields) -> pl.Series | None:
    """The remark on records whose times are out of order at all; None if there are none."""
    if not checks.in_order:
        return None
    behind = _behind(checks, read, dt.timedelta(0))
    if not behind.any():
        return None
    return pl.select(pl.when(behind).then(pl.lit(CLOCK_SKEW))).to_series()


def _behind(checks: Checks, read: ReadFields, tolerated: dt.timedelta) -> pl.Series:
    pairs = combinations(checks.in_order, 2)
    is_behind = [pl.col(earlier) > pl.col(later) + tolerated for earlier, later in pairs]
    return read.values.select(pl.any_horizontal(is_behind).fill_null(value=False)).to_series()
