"""How far the records of a feed reach into other days."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from billing_pipeline.catalog.feeds import Feed


@dataclass(frozen=True)
class Reach:
    """How far the records of a feed reach into other days, and what becomes of incomplete ones."""

    session_days: int = 0
    reversal_days: int = 0
    releases_incomplete: bool = False
    wraps_at: Decimal | None = None
    is_rate: bool = False

    @property
    def days(self) -> int:
        """The farther of both."""
        return max(self.session_days, self.reversal_days)


def reach_of(feed: Feed) -> Reach:
    """What a feed's definition says."""
    session = feed.assemble
    takes_back = feed.records is not None and any(
        kind.action == "reversal" for kind in feed.records.types
    )
    return Reach(
        session_days=session.days if session else 0,
        reversal_days=feed.records.reversal_days if feed.records and takes_back else 0,
        releases_incomplete=session is not None and session.incomplete == "accept",
        wraps_at=session.wraps_at if session else None,
        is_rate=session is not None and session.counts == "per_second",
    )


def far_reaching(feeds: Iterable[Feed]) -> dict[str, Reach]:
    """Reach by feed, of the feeds whose records concern more than their own day.

    Of several versions of a feed the latest says so for all.
    """
    by_age = sorted(feeds, key=lambda feed: feed.valid_from or dt.date.min)
    reaches = {feed.key: reach_of(feed) for feed in by_age}
    return {key: reach for key, reach in reaches.items() if reach != Reach()}
