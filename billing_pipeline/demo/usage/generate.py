"""Usage files for the demo tenants: drawn, spoilt a little, written as their feeds expect."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from billing_pipeline.demo.usage.calls import agent_calls, asterisk, freeswitch
from billing_pipeline.demo.usage.draw import Rng, Span
from billing_pipeline.demo.usage.lines import KINDS, FeedLines, Shares, written
from billing_pipeline.demo.usage.metered import api_usage, interface_counters, licences
from billing_pipeline.demo.usage.owners import SOURCES, FeedSource, read_owners, zone_of

FROM_DAY, UNTIL_DAY = dt.date(2026, 9, 1), dt.date(2026, 10, 31)
"""The demo's two billing months."""

EVENTS, SEED = 50_000, 7
"""Events the demo draws beside its interface counters, and the seed it draws them with."""

FEED_OWNERS = tuple(dict.fromkeys(source.tenant_key for source in SOURCES))
"""Tenants that hold the demo's feeds."""

_DRAWS = {
    "agent-calls": agent_calls,
    "asterisk": asterisk,
    "freeswitch": freeswitch,
    "api-usage": api_usage,
}
_SHARE_OF_EVENTS = {"agent-calls": 0.20, "freeswitch": 0.35, "asterisk": 0.20, "api-usage": 0.25}
_FILE_NAMES = {
    "agent-calls": "calls_%Y%m%d_0001.csv",
    "freeswitch": "Master.csv.%Y-%m-%d-23-59-59",
    "asterisk": "Master.csv.%Y-%m-%d",
    "api-usage": "api_%Y%m%d.ndjson",
    "interface-counters": "counters_%Y%m%d.csv",
    "licences": "Lizenzen_%Y-%m.csv",
}
_LATE_FILES = 0.04
_LATE_DAYS = (2, 9)


@dataclass(frozen=True)
class UsageFile:
    """One file written: whose it is, where it lies, and the local day it is to land.

    A file on time lands as its day ends, before the next morning's bill runs.
    """

    tenant_key: str
    feed_key: str
    path: Path
    records: int
    lands_on: dt.date
    is_late: bool


@dataclass(frozen=True)
class UsageSummary:
    """What was written.

    `counts` has one row per feed and kind of record: tenant_key, feed_key, kind, records.
    """

    files: tuple[UsageFile, ...]
    counts: pl.DataFrame

    @property
    def landing_days(self) -> dict[str, dt.date]:
        """Path below the landing zone, `<tenant>/<feed>/<file>`, to the day the file lands."""
        return {
            f"{file.tenant_key}/{file.feed_key}/{file.path.name}": file.lands_on
            for file in self.files
        }

    def __str__(self) -> str:
        """A line per feed: how many records of each kind."""
        counted = self.counts.group_by("feed_key", maintain_order=True).agg(
            pl.format("{} {}", "records", "kind").str.join(", ").alias("text")
        )
        lines = zip(counted["feed_key"].to_list(), counted["text"].to_list(), strict=True)
        return "\n".join([f"{len(self.files)} files", *(f"{feed}: {text}" for feed, text in lines)])

    def records_of(self, kind: str) -> int:
        """Number of records of one kind over all feeds."""
        return int(self.counts.filter(pl.col("kind") == kind)["records"].sum())


def generate_usage(
    out: Path,
    *,
    tenant_keys: Iterable[str] | None = None,
    from_day: dt.date = FROM_DAY,
    until_day: dt.date = UNTIL_DAY,
    events: int = EVENTS,
    seed: int = SEED,
) -> UsageSummary:
    """Write `<out>/<tenant_key>/<feed_key>/<file>` for the feeds these tenants (or all) hold.

    `events` is the number of billable calls and API events; interface counters (one per
    interface, direction and five minutes) and licence counts follow from the calendar, and
    trouble comes on top. Equal arguments give equal bytes.
    Raises: ValueError for a tenant without feeds or a span without days.
    """
    wanted = _sources(tenant_keys)
    if until_day < from_day:
        raise ValueError(f"until_day {until_day} is before from_day {from_day}")
    total_share = sum(_SHARE_OF_EVENTS.get(source.feed_key, 0.0) for source in wanted)
    files: list[UsageFile] = []
    counts: list[pl.DataFrame] = []
    for source in wanted:
        # A stream of its own for each feed: leaving one out does not change the others.
        rng = np.random.default_rng([seed, SOURCES.index(source)])
        span = Span(from_day, until_day, zone_of(source.serves[0]))
        share = _SHARE_OF_EVENTS.get(source.feed_key, 0.0) / total_share if total_share else 0.0
        lines = _draw(rng, source, span, round(events * share))
        text = written(rng, lines, Shares())
        counts.append(_counts(source, text))
        files.extend(_write(rng, out, source, lines.header, text, span))
    return UsageSummary(tuple(files), pl.concat(counts))


def _sources(tenant_keys: Iterable[str] | None) -> list[FeedSource]:
    keys = set(FEED_OWNERS if tenant_keys is None else tenant_keys)
    unknown = keys - set(FEED_OWNERS)
    if unknown:
        raise ValueError(f"no demo feeds of {sorted(unknown)}; there are {list(FEED_OWNERS)}")
    return [source for source in SOURCES if source.tenant_key in keys]


def _draw(rng: Rng, source: FeedSource, span: Span, events: int) -> FeedLines:
    owners = read_owners(source, span)
    if source.feed_key == "interface-counters":
        return interface_counters(rng, owners, span)
    if source.feed_key == "licences":
        return licences(rng, owners, span)
    return _DRAWS[source.feed_key](rng, owners, span, events, Shares())


def _counts(source: FeedSource, text: pl.DataFrame) -> pl.DataFrame:
    kinds = pl.DataFrame({"kind": KINDS})
    counted = text.group_by("kind").agg(records=pl.len())
    return kinds.join(counted, on="kind", how="left", validate="1:1", maintain_order="left").select(
        pl.lit(source.tenant_key).alias("tenant_key"),
        pl.lit(source.feed_key).alias("feed_key"),
        "kind",
        pl.col("records").fill_null(0).cast(pl.Int64),
    )


def _write(
    rng: Rng, out: Path, source: FeedSource, header: str | None, text: pl.DataFrame, span: Span
) -> Iterator[UsageFile]:
    folder = out / source.tenant_key / source.feed_key
    folder.mkdir(parents=True, exist_ok=True)
    by_day = text.group_by("day", maintain_order=True).agg("line")
    delays = _delays(rng, by_day["day"].to_list(), span)
    for day, lines, delay in zip(by_day["day"], by_day["line"], delays, strict=True):
        path = folder / day.strftime(_FILE_NAMES[source.feed_key])
        all_lines = [*([header] if header else []), *lines.to_list()]
        path.write_text("\n".join(all_lines) + "\n", encoding="utf-8", newline="")
        yield UsageFile(
            tenant_key=source.tenant_key,
            feed_key=source.feed_key,
            path=path,
            records=len(lines),
            lands_on=day + dt.timedelta(days=delay),
            is_late=delay > 0,
        )


def _delays(rng: Rng, days: list[dt.date], span: Span) -> list[int]:
    """Days each file comes late: mostly none; never after the span's own last file."""
    late = rng.random(len(days)) < _LATE_FILES
    wait = rng.integers(*_LATE_DAYS, len(days))
    most = [(span.until_day - day).days for day in days]
    return [
        min(int(w), m) if is_late else 0 for is_late, w, m in zip(late, wait, most, strict=True)
    ]
