"""Sequence audit: which files of a source are missing, came twice, or began anew."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, pairwise


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

    @property
    def files(self) -> int:
        """How many files are missing."""
        return self.last_missing - self.first_missing + 1


@dataclass(frozen=True)
class SequenceAudit:
    """Gaps, and numbers that different files carry, of all sources of a feed."""

    gaps: tuple[Gap, ...]
    repeated: tuple[tuple[str, int], ...]


def sequence_audit(files: Iterable[NumberedFile]) -> SequenceAudit:
    """Gaps and repeats of numbered files, whatever the order in which they came.

    A gap closes as soon as the late file is among `files`. The same content seen twice is no
    repeat; one number with different content is: the source began anew, or overwrote a file.
    """
    gaps: list[Gap] = []
    repeated: list[tuple[str, int]] = []
    ordered = sorted(set(files))
    for source, group in groupby(ordered, key=lambda file: file.source):
        numbers = [file.sequence for file in group]
        for earlier, later in pairwise(numbers):
            if later == earlier:
                repeated.append((source, later))
            elif later > earlier + 1:
                gaps.append(Gap(source, earlier + 1, later - 1))
    return SequenceAudit(tuple(gaps), tuple(dict.fromkeys(repeated)))


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
