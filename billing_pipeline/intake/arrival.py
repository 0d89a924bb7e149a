"""Which uploads of one feed are complete, as the feed declares it."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from billing_pipeline.catalog.feed_arrival import Arrival
from billing_pipeline.intake.landing import Upload


class Waiting(NamedTuple):
    """An upload that is not taken yet, and what it waits for."""

    upload: Upload
    what_for: str


def arrived(uploads: Iterable[Upload], arrival: Arrival, now: dt.datetime) -> list[Upload]:
    """Those of a feed's uploads that are complete; markers are no usage and never among them."""
    given = list(uploads)
    held = {waiting.upload.path for waiting in not_arrived(given, arrival, now)}
    return [
        upload
        for upload in given
        if upload.path not in held and not _is_marker(upload.name, arrival)
    ]


def not_arrived(uploads: Iterable[Upload], arrival: Arrival, now: dt.datetime) -> Iterator[Waiting]:
    """Those of a feed's uploads that are still awaited, with the reason in words."""
    given = list(uploads)
    names = {upload.name for upload in given}
    for upload in given:
        if not _is_marker(upload.name, arrival):
            what_for = _awaited(upload, arrival, names, now)
            if what_for is not None:
                yield Waiting(upload, what_for)


def _awaited(upload: Upload, arrival: Arrival, names: set[str], now: dt.datetime) -> str | None:
    if upload.name.lower().endswith(tuple(ending.lower() for ending in arrival.unfinished)):
        return "its final name"
    age = now - upload.modified_at
    if age < dt.timedelta(seconds=arrival.stable_seconds):
        return f"{arrival.stable_seconds} s without a change"
    if arrival.marker is not None and names.isdisjoint(_markers_of(upload.name, arrival.marker)):
        return f"its marker {upload.name}{arrival.marker}"
    return None


def _markers_of(name: str, marker: str) -> set[str]:
    stem = name.rsplit(".", 1)[0]
    return {f"{name}{marker}", f"{stem}{marker}"}


def _is_marker(name: str, arrival: Arrival) -> bool:
    return arrival.marker is not None and name.endswith(arrival.marker)
