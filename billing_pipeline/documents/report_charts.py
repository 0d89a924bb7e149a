"""Charts of reports: columns and bars placed by whole numbers, drawn as SVG by the template."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000, 190
_BASE, _TOP = 160, 22
_MOST_LABELS = 12
_WIDEST = 90
_FULL = 100


@dataclass(frozen=True)
class Column:
    """One column of a chart: its place, and what stands below and above it."""

    x: int
    y: int
    width: int
    height: int
    label: str
    value: str
    is_negative: bool


@dataclass(frozen=True)
class ColumnChart:
    """Columns over time, first to last."""

    columns: tuple[Column, ...]
    width: int = WIDTH
    height: int = HEIGHT
    base: int = _BASE


@dataclass(frozen=True)
class Bar:
    """One bar beside its label: `percent` of the longest."""

    label: str
    value: str
    percent: int
    is_negative: bool


def column_chart(points: Sequence[tuple[str, int, str]]) -> ColumnChart | None:
    """Columns from (label, size, value as text); None where there is nothing to show.

    Only some labels and values are written where there are many columns.
    """
    most = max((abs(size) for _, size, _ in points), default=0)
    if not most:
        return None
    step = WIDTH // len(points)
    width = min(step - step // 4, _WIDEST)
    every = -(-len(points) // _MOST_LABELS)
    is_few = len(points) <= _MOST_LABELS
    return ColumnChart(
        tuple(
            Column(
                x=position * step + (step - width) // 2,
                y=_BASE - _height(size, most),
                width=width,
                height=_height(size, most),
                label=label if position % every == 0 else "",
                value=value if is_few and size else "",
                is_negative=size < 0,
            )
            for position, (label, size, value) in enumerate(points)
        )
    )


def bars(points: Sequence[tuple[str, int, str]]) -> tuple[Bar, ...]:
    """Bars from (label, size, value as text), as long as their size says."""
    most = max((abs(size) for _, size, _ in points), default=0)
    return tuple(
        Bar(label, value, abs(size) * _FULL // most if most else 0, size < 0)
        for label, size, value in points
    )


def _height(size: int, most: int) -> int:
    return abs(size) * (_BASE - _TOP) // most
