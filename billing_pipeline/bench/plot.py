"""The curves as a picture: SVG, both axes logarithmic, no library."""

import math
from collections.abc import Sequence
from html import escape

from billing_pipeline.bench.curves import Curve

_WIDTH, _HEIGHT, _MARGIN = 320, 220, 48
_SERIES = (("seconds", "#1f6feb", "s"), ("megabytes", "#bf5700", "MB"))


def curves_svg(curves: Sequence[Curve]) -> str:
    """One panel a curve: seconds and megabytes against size."""
    panels = "\n".join(
        f'<g transform="translate({at * _WIDTH} 0)">{_panel(curve)}</g>'
        for at, curve in enumerate(curves)
    )
    size = f'width="{_WIDTH * len(curves)}" height="{_HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="10">'
        f'<rect width="100%" height="100%" fill="white"/>\n{panels}\n</svg>\n'
    )


def _panel(curve: Curve) -> str:
    title = f"{escape(curve.name)}: exponent {curve.exponent:.2f}"
    parts = [f'<text x="{_MARGIN}" y="14" font-weight="bold">{title}</text>']
    sizes = [point.size for point in curve.points]
    for row, (name, colour, unit) in enumerate(_SERIES):
        values = [getattr(point, name) for point in curve.points]
        places = list(zip(_scaled(sizes, _MARGIN, _WIDTH - 20),
                          _scaled(values, _HEIGHT - 36, 34), strict=True))  # fmt: skip
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            f'<text x="{x:.1f}" y="{y - 6:.1f}" fill="{colour}" text-anchor="middle">'
            f"{value:,.1f} {unit}</text>"
            for (x, y), value in zip(places, values, strict=True)
            if row == 0 or (x, y) in (places[0], places[-1])
        ]
    parts += [
        f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{size:,}</text>'
        for x, size in zip(_scaled(sizes, _MARGIN, _WIDTH - 20), sizes, strict=True)
    ]
    return "".join(parts)


def _scaled(values: Sequence[float], low: float, high: float) -> list[float]:
    """Places between `low` and `high` by the logarithm of values."""
    logs = [math.log(max(value, 0.001)) for value in values]
    span = max(logs) - min(logs) or 1
    return [low + (log - min(logs)) / span * (high - low) for log in logs]
