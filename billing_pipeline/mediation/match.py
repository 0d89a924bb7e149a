"""Which feed a file belongs to, by its name; the facts its name carries."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from billing_pipeline.catalog.feed_versions import version_in_force
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason

COMPRESSION_SUFFIXES = (".gz", ".gzip", ".zip", ".bz2", ".zst")


@dataclass(frozen=True)
class NameFacts:
    """What a file's name says, by the named groups of its feed's pattern; null if silent."""

    source: str | None = None
    sequence: int | None = None
    period: str | None = None
    version: str | None = None
    date: dt.date | None = None


def matching_feed(name: str, feeds: Sequence[Feed]) -> Feed | None:
    """The first feed, in order of keys, whose pattern fits the whole file name.

    Letters match in either case; a compression suffix may or may not stand in the pattern.
    """
    for feed in sorted(feeds, key=lambda feed: feed.key):
        if _match(name, feed) is not None:
            return feed
    return None


def name_facts(name: str, feed: Feed) -> NameFacts:
    """Source, sequence, period and version as they stand in a file's name."""
    match = _match(name, feed)
    groups = match.groupdict() if match else {}
    sequence = groups.get("sequence")
    return NameFacts(
        source=groups.get("source"),
        sequence=int(sequence) if sequence and sequence.isdigit() else None,
        period=groups.get("period"),
        version=groups.get("version"),
        date=_date(groups.get("date")),
    )


def version_for_file(name: str, landed_on: dt.date, versions: Sequence[Feed]) -> Feed:
    """The version of a feed that reads a file, by the date its definition goes by.

    `versions` are all of one feed, the oldest first.
    Raises: FileRefused if the name does not fit, has no date, or no version is as old as it.
    """
    fitting = [feed for feed in versions if _match(name, feed) is not None]
    if not fitting:
        raise FileRefused(
            QuarantineReason.UNEXPECTED_NAME,
            f"no feed takes a file named {name!r}; correct its file pattern or move the file",
        )
    is_by_name = fitting[0].version_by == "name"
    day = name_facts(name, fitting[-1]).date if is_by_name else landed_on
    if day is None:
        raise FileRefused(
            QuarantineReason.UNEXPECTED_NAME,
            f"the name {name!r} has no date to choose the version of feed {fitting[0].key!r} by",
        )
    feed = version_in_force(versions, day)
    if feed is None or feed not in fitting:
        known = ", ".join(str(one.valid_from or "the beginning") for one in versions)
        raise FileRefused(
            QuarantineReason.UNEXPECTED_NAME,
            f"no version of feed {fitting[0].key!r} in force on {day} takes {name!r}; "
            f"versions hold from: {known}",
        )
    return feed


def _date(text: str | None) -> dt.date | None:
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        return None


def _match(name: str, feed: Feed) -> re.Match[str] | None:
    pattern = re.compile(feed.match.file_name, re.IGNORECASE | re.DOTALL)
    candidates = [name]
    lower = name.lower()
    candidates += [
        name[: -len(suffix)] for suffix in COMPRESSION_SUFFIXES if lower.endswith(suffix)
    ]
    return next((match for match in map(pattern.fullmatch, candidates) if match), None)
