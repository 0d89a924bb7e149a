"""Budget 7: how time and memory grow with what there is to do."""

import math
from dataclasses import dataclass, replace

from billing_pipeline.bench.contest import Figure
from billing_pipeline.bench.usage import take_alone
from billing_pipeline.bench.usage_files import Size

STEEPEST = 1.1
"""Exponent that still counts as linear: measurements are not exact."""

_FIXED = Size(events=100_000, accounts=20_000, prefixes=20_000)


@dataclass(frozen=True)
class Point:
    """One measured size."""

    size: int
    seconds: float
    megabytes: int


@dataclass(frozen=True)
class Curve:
    """Measured sizes of one thing, the others held still."""

    name: str
    points: tuple[Point, ...]

    @property
    def exponent(self) -> float:
        """How steep it ends: 1 is linear, less is better than linear."""
        before, last = self.points[-2:]
        grown = math.log(last.seconds / before.seconds)
        return grown / math.log(last.size / before.size)


def measure_curves(most_events: int) -> list[Curve]:
    """Usage through all stages by number of events, accounts, prefixes and days."""
    return [
        _curve("events", [size for size in (10**5, 10**6, 10**7, 10**8) if size <= most_events]),
        _curve("accounts", [1_000, 10_000, 100_000, 300_000]),
        _curve("prefixes", [1_000, 10_000, 100_000, 300_000]),
        _curve("days", [1, 3, 10, 31]),
    ]


def curve_figures(curves: list[Curve]) -> list[Figure]:
    """Whether each curve is linear or better where it ends."""
    return [
        Figure(
            7,
            f"growth of time with {curve.name}, exponent",
            curve.exponent,
            "",
            most=STEEPEST,
            detail=", ".join(
                f"{point.size:,}: {point.seconds:.1f} s, {point.megabytes:,} MB"
                for point in curve.points
            ),
        )
        for curve in curves
    ]


def _curve(name: str, sizes: list[int]) -> Curve:
    return Curve(name, tuple(_point(replace(_FIXED, **{name: size}), size) for size in sizes))


def _point(size: Size, at: int) -> Point:
    taken = take_alone("ours", size)
    return Point(at, sum(taken["wall_s"].values()), taken["peak_mb"])
