"""Sequence audit: which files of a source are missing, came twice, or began anew."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from billing_pipeline.catalog.feeds import SequenceNumbers


@dataclass(frozen=True, order=True)
class NumberedFile:
    """A file seen, by the source and sequence number its name carries."""

    source: str
    sequence: int
    file_key: str


@dataclass(frozen=True, order=True)
class Gap:
    """Sequence numbers of a source that never came, both ends included."""

    source: str
    first_missing: int
    last_missing: int
    step: int = 1

    @property
    def files(self) -> int:
        """How many files are missing."""
        return (self.last_missing - self.first_missing) // self.step + 1


@dataclass(frozen=True)
class SequenceAudit:
    """Gaps, and numbers that different files carry, of all sources of a feed."""

    gaps: tuple[Gap, ...]
    repeated: tuple[tuple[str, int], ...]


AS_THEY_COME = SequenceNumbers()
"""Numbers one apart that begin anywhere and never begin anew."""


def sequence_audit(
    files: Iterable[NumberedFile], numbers: SequenceNumbers = AS_THEY_COME
) -> SequenceAudit:
    """Gaps and repeats of numbered files, whatever the order in which they came.

    A gap closes as soon as the late file is among `files`. The same content seen twice is no
    repeat; one number with different content is: the source began anew, or overwrote a file.
    Only where numbers begin anew after a `last` one does the order of `files` matter: a number
    belongs to the lap that brings it nearest to the one before.
    """
    gaps: list[Gap] = []
    repeated: list[tuple[str, int]] = []
    by_source: dict[str, list[NumberedFile]] = {}
    for file in dict.fromkeys(files):
        by_source.setdefault(file.source, []).append(file)
    for source, own in sorted(by_source.items()):
        running = sorted(_over_laps([file.sequence for file in own], numbers))
        begins_anywhere = numbers.start is None or numbers.last is not None
        before = [] if begins_anywhere else [(numbers.start or 0) - numbers.step]
        for earlier, later in pairwise([*before, *running]):
            if later == earlier:
                repeated.append((source, _in_lap(later, numbers)))
            elif later > earlier + numbers.step:
                missing = range(earlier + numbers.step, later, numbers.step)
                gaps += _gaps(source, missing, numbers)
    return SequenceAudit(tuple(gaps), tuple(dict.fromkeys(repeated)))


def _lap(numbers: SequenceNumbers) -> int:
    """How far the numbers run until they begin anew; 0 if they never do."""
    if numbers.last is None:
        return 0
    first = numbers.start or 0
    return ((numbers.last - first) // numbers.step + 1) * numbers.step


def _over_laps(given: list[int], numbers: SequenceNumbers) -> list[int]:
    lap = _lap(numbers)
    running: list[int] = []
    for number in given:
        behind = running[-1] - number if running else 0
        running.append(number + lap * round(behind / lap) if lap else number)
    return running


def _in_lap(running: int, numbers: SequenceNumbers) -> int:
    lap, first = _lap(numbers), numbers.start or 0
    return (running - first) % lap + first if lap else running


def _gaps(source: str, missing: range, numbers: SequenceNumbers) -> Iterator[Gap]:
    """A gap over the end of a lap is two."""
    lap, first, step = _lap(numbers), numbers.start or 0, numbers.step
    begin, end = missing[0], missing[-1]
    while begin <= end:
        last = min(end, first + ((begin - first) // lap + 1) * lap - step) if lap else end
        yield Gap(source, _in_lap(begin, numbers), _in_lap(last, numbers), step)
        begin = last + step


@dataclass(frozen=True)
class Delivery:
    """A file of a feed that supersedes: the period it delivers and which delivery it is."""

    file_key: str
    period: str
    version: str


def superseded_files(deliveries: Iterable[Delivery]) -> frozenset[str]:
    """Keys of the files that a later delivery of the same period replaces.

    The greatest version counts; of equal versions the greatest file key, so that the answer
    does not depend on the order in which they came.
    """
    ordered = sorted(deliveries, key=lambda one: (one.period, one.version, one.file_key))
    return frozenset(
        earlier.file_key for earlier, later in pairwise(ordered) if earlier.period == later.period
    )
