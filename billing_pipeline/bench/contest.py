"""What all measurements share: the clock, and what is kept of one."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypedDict


class Taken(TypedDict):
    """What one run in a process of its own took, and what it came to."""

    wall_s: dict[str, float]
    processor_s: dict[str, float]
    peak_mb: int
    written_mb: int
    counts: dict[str, int]


@dataclass(frozen=True)
class Figure:
    """One measured number; `most` or `least` is the budget it must keep, if it has one."""

    budget: int
    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None
    detail: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the budget is kept; None without one."""
        if self.most is not None:
            return self.value <= self.most
        return None if self.least is None else self.value >= self.least


@dataclass
class Clock:
    """Wall and processor seconds of each phase, and counts of what was done."""

    wall: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add what runs inside to a phase."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.wall[name] = self.wall.get(name, 0) + time.perf_counter() - wall
        self.processor[name] = self.processor.get(name, 0) + time.process_time() - processor


class NotRight(Exception):
    """What was timed did not come to the right result; its time says nothing."""


def peak_megabytes() -> int:
    """Most memory this process, or one it started, has had resident so far."""
    own, others = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return max(own, others) // 1024
