"""Versions of a feed: which are configured side by side, and what keeps them apart."""

import datetime as dt
from collections.abc import Iterable, Sequence

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.vocabulary.problems import Problem


def feed_file(feed: Feed) -> str:
    """Where a version stands in the tenant's folder: `feeds/<key>[@<valid_from>].yaml`."""
    since = f"@{feed.valid_from.isoformat()}" if feed.valid_from else ""
    return f"feeds/{feed.key}{since}.yaml"


def versions_of(feeds: Iterable[Feed], key: str) -> list[Feed]:
    """The versions of one feed, the oldest first."""
    return sorted((feed for feed in feeds if feed.key == key), key=_since)


def version_in_force(versions: Sequence[Feed], day: dt.date) -> Feed | None:
    """The version that reads what is dated a day: the latest that holds by then."""
    return next((feed for feed in reversed(versions) if _since(feed) <= day), None)


def check_feed_versions(feeds: Sequence[Feed]) -> list[Problem]:
    """Versions of one feed that choose between themselves by different rules."""
    problems = []
    for key in sorted({feed.key for feed in feeds}):
        first, *later = versions_of(feeds, key)
        problems += [
            Problem(
                feed_file(feed),
                None,
                "version_by",
                f"is {feed.version_by!r}, but {feed_file(first)} has {first.version_by!r};"
                " one rule must choose the version",
            )
            for feed in later
            if feed.version_by != first.version_by
        ]
    return problems


def _since(feed: Feed) -> dt.date:
    return feed.valid_from or dt.date.min
