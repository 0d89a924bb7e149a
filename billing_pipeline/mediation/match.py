"""Which feed a file belongs to, by its name; the facts its name carries."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from billing_pipeline.catalog.feeds import Feed

COMPRESSION_SUFFIXES = (".gz", ".gzip", ".zip", ".bz2", ".zst")


@dataclass(frozen=True)
class NameFacts:
    """What a file's name says, by the named groups of its feed's pattern; null if silent."""

    source: str | None = None
    sequence: int | None = None
    period: str | None = None
    version: str | None = None


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
    )


def _match(name: str, feed: Feed) -> re.Match[str] | None:
    pattern = re.compile(feed.match.file_name, re.IGNORECASE | re.DOTALL)
    candidates = [name]
    lower = name.lower()
    candidates += [
        name[: -len(suffix)] for suffix in COMPRESSION_SUFFIXES if lower.endswith(suffix)
    ]
    return next((match for match in map(pattern.fullmatch, candidates) if match), None)
