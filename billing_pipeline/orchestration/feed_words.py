"""A feed in words: which files, how they are cut, what counts, and what a usage event is."""

from collections.abc import Iterator

from billing_pipeline.catalog.feed_records import RecordType
from billing_pipeline.catalog.feeds import Computed, Feed

_ACTIONS = {
    "usage": "are billed",
    "filter": "are counted and not billed",
    "control": "are headers, trailers or log lines",
    "reversal": "take back the record of the same identity",
}


def explained(feed: Feed) -> Iterator[str]:
    """Lines for people."""
    yield f"Files whose name fits {feed.match.file_name}, cut as {feed.frame.framing}."
    yield from _arrival(feed)
    yield _identity(feed)
    yield from _records(feed)
    yield from _event(feed)
    yield from _checks(feed)


def _arrival(feed: Feed) -> Iterator[str]:
    if feed.arrival.marker:
        yield f"A file is complete when a file ending in {feed.arrival.marker} lies beside it."
    if feed.snapshot == "supersede":
        yield "A later delivery (group version of the name) replaces its period (group period)."
    words = {
        "hold": "is held for a person",
        "replace": "replaces what the name brought before",
        "add": "is loaded as one more file",
    }
    yield f"A name that comes again with other content {words[feed.arrival.same_name]}."


def _identity(feed: Feed) -> str:
    named = ", ".join(feed.identity) or "the whole record"
    if feed.version:
        return f"A record is identified by {named}; of several the greatest {feed.version} counts."
    return (
        f"A record is identified by {named}; repeated with the same content it is a duplicate, "
        "with other content it waits in suspense."
    )


def _records(feed: Feed) -> Iterator[str]:
    if feed.records is not None:
        for kind in feed.records.types:
            yield f"Records with {feed.records.selector} {_which(kind)} {_ACTIONS[kind.action]}."
        yield f"Any other {feed.records.selector} waits in suspense."
    for rule in feed.filters:
        yield f"Records with {rule.when} are counted and not billed ({rule.reason})."
    if feed.billable_when:
        yield f"Only records with {feed.billable_when} are billed."


def _which(kind: RecordType) -> str:
    return " or ".join(kind.values) if kind.values else f"like {kind.pattern}"


def _event(feed: Feed) -> Iterator[str]:
    event = feed.event
    yield (
        f"An event is {_word(event.usage_type)} of {event.quantity} in {_word(event.unit)}, "
        f"begins at {event.started_at}, and belongs to whoever owns {event.service_identifier}."
    )
    if event.carried_amount:
        yield f"Its price stands in the record: {event.carried_amount}."
    if feed.assemble:
        yield f"Records of one {feed.assemble.key} are one event ({feed.assemble.mode})."


def _checks(feed: Feed) -> Iterator[str]:
    checks = feed.checks
    yield (
        f"Records more than {checks.future_minutes} minutes ahead of the landing wait; after "
        f"{checks.late_after_days} days they are flagged late"
        + (f", after {checks.max_age_days} they wait." if checks.max_age_days is not None else ".")
    )
    if checks.max_quantity is not None:
        yield f"A quantity above {checks.max_quantity} waits in suspense."
    if checks.trailer is not None:
        meant = "billable records" if checks.trailer.over == "billable" else "records"
        yield f"Its own totals of {meant} must be right, or the whole file is held."
    if checks.in_order:
        yield (
            f"{', '.join(checks.in_order)} follow each other: more than {checks.skew_seconds} s "
            "out of order waits in suspense."
        )
    if checks.sequence.number is not None:
        yield f"The number of a file stands in its records: {checks.sequence.number}."
    if checks.sequence.last is not None:
        yield f"The numbers of files begin anew after {checks.sequence.last}."


def _word(given: str | Computed) -> str:
    return given.expression if isinstance(given, Computed) else given
