"""Draws: who uses the service, and when. numpy draws, Polars takes over from there."""

import datetime as dt
from dataclasses import dataclass
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl

from billing_pipeline.vocabulary.frames import UTC_INSTANT

Reals: TypeAlias = npt.NDArray[np.float64]
Rng: TypeAlias = np.random.Generator

OFFICE_HOURS = (
    1,
    1,
    1,
    1,
    1,
    2,
    6,
    20,
    60,
    90,
    100,
    95,
    70,
    85,
    95,
    90,
    80,
    55,
    30,
    18,
    10,
    6,
    3,
    2,
)
"""Weight of each local hour of a day in an office."""

ROUND_THE_CLOCK = (
    *(30, 25, 22, 20, 20, 24, 35, 50, 70, 80, 85, 88),
    *(90, 90, 88, 85, 82, 80, 78, 75, 70, 60, 50, 40),
)
"""Weight of each local hour where machines call too."""

_WEEK = (1.0, 1.05, 1.05, 1.0, 0.9, 0.35, 0.25)  # Monday to Sunday
_HOUR_S = 3600


@dataclass(frozen=True)
class Span:
    """Local days `from_day` up to and including `until_day` in a zone, as UTC seconds."""

    from_day: dt.date
    until_day: dt.date
    zone: ZoneInfo

    @property
    def start_s(self) -> int:
        """Epoch seconds of the first instant."""
        return _midnight(self.from_day, self.zone)

    @property
    def end_s(self) -> int:
        """Epoch seconds of the instant after the last."""
        return _midnight(self.until_day + dt.timedelta(days=1), self.zone)


def draw_events(
    rng: Rng, owners: pl.DataFrame, span: Span, hours: tuple[int, ...], events: int
) -> pl.DataFrame:
    """So many events spread over owners and the span's hours.

    Shape: `owners` has identifier, from_s, until_s (epoch seconds, half-open) and weight; the
    result has identifier and at, in order of time.
    """
    edges, mass = _mass(span, hours)
    owned_from = np.interp(_reals(owners["from_s"]), edges, mass)
    owned_until = np.interp(_reals(owners["until_s"]), edges, mass)
    weight = _reals(owners["weight"]) * (owned_until - owned_from)
    if events == 0 or weight.sum() == 0:
        return owners.head(0).select("identifier", at=pl.lit(None, UTC_INSTANT))
    chosen = rng.choice(owners.height, size=events, p=weight / weight.sum())
    share = rng.random(events)
    at_mass = owned_from[chosen] + share * (owned_until - owned_from)[chosen]
    at_s = np.clip(
        np.floor(np.interp(at_mass, mass, edges)),
        owners["from_s"].to_numpy()[chosen],
        owners["until_s"].to_numpy()[chosen] - 1,
    ).astype(np.int64)
    drawn = pl.DataFrame({"identifier": owners["identifier"].gather(chosen), "at_s": at_s})
    return (
        drawn.select(
            "identifier", pl.from_epoch("at_s", time_unit="s").cast(pl.Datetime("us")).alias("at")
        )
        .select("identifier", pl.col("at").dt.replace_time_zone("UTC"))
        .sort("at", "identifier")
    )


def pick(rng: Rng, values: list[str], weights: list[float], size: int) -> pl.Series:
    """So many of the values, by weight."""
    share = np.asarray(weights, dtype=np.float64)
    chosen = rng.choice(len(values), size=size, p=share / share.sum())
    return pl.Series(values).gather(chosen)


def seconds(rng: Rng, size: int, *, median: float, spread: float) -> pl.Series:
    """Durations as calls have them: many short, few long, from a second to two hours."""
    drawn = rng.lognormal(np.log(median), spread, size)
    return pl.Series(np.clip(drawn, 1, 7200).astype(np.int64))


def _mass(span: Span, hours: tuple[int, ...]) -> tuple[Reals, Reals]:
    """Edges of the span's hours in epoch seconds, and the share of events before each edge."""
    starts = np.arange(span.start_s, span.end_s, _HOUR_S, dtype=np.int64)
    local = (
        pl.from_epoch(pl.Series(starts), time_unit="s")
        .dt.replace_time_zone("UTC")
        .dt.convert_time_zone(span.zone.key)
    )
    by_hour = np.asarray(hours, dtype=np.float64)[local.dt.hour().to_numpy()]
    by_day = np.asarray(_WEEK)[local.dt.weekday().to_numpy() - 1]
    mass = np.concatenate([[0.0], np.cumsum(by_hour * by_day)])
    edges = np.append(starts, span.end_s).astype(np.float64)
    return edges, mass / mass[-1]


def _reals(series: pl.Series) -> Reals:
    return series.to_numpy().astype(np.float64)


def _midnight(day: dt.date, zone: ZoneInfo) -> int:
    return int(dt.datetime.combine(day, dt.time(), tzinfo=zone).timestamp())
