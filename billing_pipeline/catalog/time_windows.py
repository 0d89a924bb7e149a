"""Windows of time: hours of some days of the week, on holidays, in a season."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from billing_pipeline.vocabulary.configuration import Configuration

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
YearDay = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
"""A day of any year: month and day, as in 12-24."""

_SEVEN: frozenset[str] = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
_HOLIDAY = "holiday"
_Span = tuple[str, str]


class TimeWindow(Configuration):
    """Hours of some days in the tenant's zone.

    On a public holiday a window holds that names `holiday`, or all seven weekdays. A season is
    from one day of the year to before another, and may span the turn of the year.
    """

    weekdays: list[Weekday] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    from_time: dt.time = dt.time(0)
    until_time: dt.time = Field(default=dt.time(0), description="exclusive; 00:00 is midnight")
    from_day: YearDay | None = Field(default=None, description="first day of its season: 06-01")
    until_day: YearDay | None = Field(default=None, description="day after the last: 09-01")

    @model_validator(mode="after")
    def _season_is_whole(self) -> Self:
        if (self.from_day is None) != (self.until_day is None):
            raise ValueError("give both from_day and until_day, or neither")
        return self


def share_a_moment(one: Sequence[TimeWindow], other: Sequence[TimeWindow]) -> bool:
    """Whether some moment lies in a window of both; no windows at all are any moment.

    Both are told of the same holidays.
    """
    if not one or not other:
        return True
    return any(
        _days(left) & _days(right)
        and _meet(_hours(left), _hours(right))
        and _meet(_seasons(left), _seasons(right))
        for left, right in product(one, other)
    )


def _days(window: TimeWindow) -> set[str]:
    whole_week = {*window.weekdays} >= _SEVEN
    return {*window.weekdays, _HOLIDAY} if whole_week else {*window.weekdays}


def _hours(window: TimeWindow) -> list[_Span]:
    return list(_unwrapped(window.from_time.isoformat(), window.until_time.isoformat(), "00", "24"))


def _seasons(window: TimeWindow) -> list[_Span]:
    if window.from_day is None or window.until_day is None:
        return [("00", "99")]
    return list(_unwrapped(window.from_day, window.until_day, "00", "99"))


def _unwrapped(since: str, until: str, first: str, last: str) -> Iterator[_Span]:
    """A span of a circle as spans of a line; told as text that sorts."""
    if since < until:
        yield since, until
    else:
        yield since, last
        yield first, until


def _meet(some: Sequence[_Span], others: Sequence[_Span]) -> bool:
    return any(
        max(since, other_since) < min(until, other_until)
        for (since, until), (other_since, other_until) in product(some, others)
    )
