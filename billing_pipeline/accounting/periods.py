"""Fiscal periods: open, closed, locked; what comes late goes into an open one and says so."""

import datetime as dt
from typing import Literal

import polars as pl

from billing_pipeline.accounting.journal import Journal
from billing_pipeline.accounting.schema import FISCAL_PERIODS, JOURNAL_ENTRIES

State = Literal["open", "closed", "locked"]

_AFTER: dict[State, tuple[State, ...]] = {
    "open": ("closed",),
    "closed": ("open", "locked"),
    "locked": (),
}


class PeriodRefused(Exception):
    """A fiscal period cannot take that state, or no period is open for a posting."""


def monthly_periods(first_day: dt.date, months: int) -> pl.DataFrame:
    """Open FISCAL_PERIODS of one calendar month each, from `first_day` on."""
    starts = pl.DataFrame({"number": range(months)}).select(
        first_day=pl.lit(first_day).dt.offset_by(pl.format("{}mo", "number"))
    )
    periods = starts.with_columns(
        until_day=pl.col("first_day").dt.offset_by("1mo"), state=pl.lit("open")
    )
    return FISCAL_PERIODS.conform(periods)


def with_state(periods: pl.DataFrame, first_day: dt.date, state: State) -> pl.DataFrame:
    """Close, reopen or lock one period.

    Periods close in order and reopen in reverse; a locked one stays as it is.
    Raises: PeriodRefused.
    """
    ordered = periods.sort("first_day")
    current: State | None = dict(ordered.select("first_day", "state").rows()).get(first_day)
    if current is None:
        raise PeriodRefused(f"no fiscal period begins on {first_day}")
    if state not in _AFTER[current]:
        raise PeriodRefused(f"the period from {first_day} is {current} and cannot become {state}")
    earlier = ordered.filter(pl.col("first_day") < first_day, pl.col("state") == "open")
    later = ordered.filter(pl.col("first_day") > first_day, pl.col("state") != "open")
    if state == "closed" and not earlier.is_empty():
        raise PeriodRefused(f"close the period from {earlier.item(0, 'first_day')} first")
    if state == "open" and not later.is_empty():
        raise PeriodRefused(f"reopen the period from {later.item(-1, 'first_day')} first")
    changed = pl.when(pl.col("first_day") == first_day).then(pl.lit(state)).otherwise("state")
    return FISCAL_PERIODS.conform(ordered.with_columns(state=changed))


def in_open_periods(journal: Journal, periods: pl.DataFrame) -> Journal:
    """Move entries dated in a closed or locked period to the first day of the next open one.

    A moved entry keeps its own day in `belongs_to` and says it in its narration. Days outside all
    periods count as open.
    Raises: PeriodRefused if no later period is open.
    """
    ordered = periods.sort("first_day")
    dated = journal.entries.sort("booked_date").join_asof(
        ordered, left_on="booked_date", right_on="first_day", strategy="backward"
    )
    is_shut = (pl.col("state") != "open") & (pl.col("booked_date") < pl.col("until_day"))
    next_open = ordered.filter(pl.col("state") == "open").select(next_day="first_day")
    placed = (
        dated.with_columns(is_shut=is_shut.fill_null(value=False))
        .drop("first_day")
        .join_asof(next_open, left_on="booked_date", right_on="next_day", strategy="forward")
    )
    stuck = placed.filter(pl.col("is_shut") & pl.col("next_day").is_null())
    if not stuck.is_empty():
        raise PeriodRefused(f"no open period after {stuck.item(0, 'booked_date')}: open the next")
    late = pl.col("is_shut")
    moved = placed.with_columns(
        booked_date=pl.when(late).then("next_day").otherwise("booked_date"),
        belongs_to=pl.when(late).then("booked_date").otherwise("belongs_to"),
        narration=pl.when(late)
        .then(pl.format("{} (belongs to {})", "narration", "booked_date"))
        .otherwise("narration"),
    )
    return Journal(JOURNAL_ENTRIES.conform(moved.sort("entry_key")), journal.postings)
