"""Usage charts: bars placed by exact numbers, drawn onto paper, and as SVG on a screen."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from billing_pipeline.documents.drawn_shapes import Shapes
from billing_pipeline.invoicing.document import ONE_DAY, DailyUsage, InvoiceDocument

PLACE = "usage-chart"
"""Id of the element that holds the bars on paper."""

WIDTH, HEIGHT = 5000, 600
_GAP_SHARE = 4
_FEWEST_DAYS, _MOST_DAYS = 5, 93


@dataclass(frozen=True)
class Bar:
    """One day: left, top, width and height in the chart's units."""

    day: dt.date
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class UsageChart:
    """Bars of usage per day, first to last, in a box of `width` x `height` units."""

    bars: tuple[Bar, ...]
    width: int = WIDTH
    height: int = HEIGHT

    def shapes(self, colour: str) -> Shapes:
        """The bars for paper."""
        boxes = tuple((bar.x, bar.y, bar.width, bar.height) for bar in self.bars if bar.height)
        return Shapes(PLACE, self.width, self.height, boxes, colour)

    @property
    def first_day(self) -> dt.date:
        """Day of the first bar."""
        return self.bars[0].day

    @property
    def last_day(self) -> dt.date:
        """Day of the last bar."""
        return self.bars[-1].day


ChartKind = Literal["none", "daily", "destinations", "both"]


def destination_shares(document: InvoiceDocument, kind: ChartKind) -> tuple[int, ...]:
    """Events of each row of `usage_totals` in per cent of the longest; empty where not wanted."""
    if kind not in ("destinations", "both"):
        return ()
    most = max((total.events for total in document.usage_totals), default=0)
    return tuple(total.events * 100 // most for total in document.usage_totals) if most else ()


def usage_chart(document: InvoiceDocument, kind: ChartKind) -> UsageChart | None:
    """Usage per local day of the document's usage; None where a chart would say nothing.

    Bars are events: amounts are unknown where usage is priced over the whole period.
    """
    if kind not in ("daily", "both") or not document.daily_usage:
        return None
    first, last = document.daily_usage[0].day, document.daily_usage[-1].day
    days = (last - first).days + 1
    if not _FEWEST_DAYS <= days <= _MOST_DAYS:
        return None
    return UsageChart(_bars(document.daily_usage, first, days))


def _bars(usage: tuple[DailyUsage, ...], first: dt.date, days: int) -> tuple[Bar, ...]:
    events = {day.day: day.events for day in usage}
    most = max(events.values())
    step = WIDTH // days
    width = step - step // _GAP_SHARE
    heights = [
        (position, events.get(first + position * ONE_DAY, 0) * HEIGHT // most)
        for position in range(days)
    ]
    return tuple(
        Bar(first + position * ONE_DAY, position * step, HEIGHT - height, width, height)
        for position, height in heights
    )
