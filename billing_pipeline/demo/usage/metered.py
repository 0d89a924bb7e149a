"""Metered services: API calls as CloudEvents, interface counters, licence counts."""

import calendar
import datetime as dt

import numpy as np
import polars as pl

from billing_pipeline.demo.usage.draw import ROUND_THE_CLOCK, Rng, Span, draw_events, pick
from billing_pipeline.demo.usage.lines import (
    BILLABLE,
    FILTERED,
    MALFORMED,
    UNKNOWN,
    FeedLines,
    Shares,
    delimited,
)

API_UNKNOWN = "key-withdrawn"
"""A key nobody owns."""

_ENDPOINTS = ["/v1/forecast", "/v1/geocode", "/v1/route", "/v2/tiles"]
_SAMPLE_S = 300
_OCTETS_STEP = 75  # of five minutes: 2 bit/s, so that rates are whole numbers
_MISSING_SAMPLES = 0.004
_PEAK_BPS = {"in": 180_000_000, "out": 420_000_000}


def api_usage(rng: Rng, owners: pl.DataFrame, span: Span, events: int, shares: Shares) -> FeedLines:
    """One CloudEvent per key, endpoint and burst of requests."""
    wanted = {
        BILLABLE: events,
        FILTERED: round(events * shares.filtered),
        UNKNOWN: round(events * shares.unknown),
        MALFORMED: round(events * shares.malformed),
    }
    drawn = pl.concat(
        draw_events(rng, owners, span, ROUND_THE_CLOCK, size).with_columns(kind=pl.lit(kind))
        for kind, size in wanted.items()
    ).sort("at", "identifier", "kind", maintain_order=True)
    is_unknown, is_check = pl.col("kind") == UNKNOWN, pl.col("kind") == FILTERED
    size = drawn.height
    requests = np.clip(rng.lognormal(np.log(150), 1.1, size), 1, 50_000).astype(np.int64)
    frame = drawn.with_columns(
        pl.when(is_unknown).then(pl.lit(API_UNKNOWN)).otherwise("identifier").alias("identifier"),
        local=pl.col("at").dt.convert_time_zone(span.zone.key),
        requests=pl.when(is_check).then(1).otherwise(pl.Series(requests)),
        what=pl.when(is_check).then(pl.lit("healthcheck")).otherwise(pl.lit("requests")),
        endpoint=pick(rng, _ENDPOINTS, [5.0, 3.0, 2.0, 1.0], size),
        gateway=pl.format("gw-{}", pl.Series(rng.integers(1, 4, size))),
    ).with_row_index("number", offset=1)
    return FeedLines(
        frame=frame,
        line=_cloud_event(pl.col("requests").cast(pl.String)),
        spoilt=(
            _cloud_event(pl.col("requests").cast(pl.String)).str.head(90),
            _cloud_event(pl.lit("-17")),
            _cloud_event(pl.lit('"many"')),
        ),
    )


def interface_counters(rng: Rng, owners: pl.DataFrame, span: Span) -> FeedLines:
    """Octets of every interface, direction and five minutes, but for a few that are missing."""
    ticks = pl.DataFrame({"at_s": np.arange(span.start_s, span.end_s, _SAMPLE_S, dtype=np.int64)})
    directions = pl.DataFrame(
        {"direction": list(_PEAK_BPS), "peak": list(_PEAK_BPS.values()), "shift": [0, 1]}
    )
    frame = (
        owners.join(ticks, how="cross")
        .filter(pl.col("at_s").is_between("from_s", "until_s", closed="left"))
        .join(directions, how="cross")
        .sort("at_s", "identifier", "direction")
    )
    at = pl.from_epoch("at_s", time_unit="s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    frame = frame.filter(pl.Series(rng.random(frame.height)) > _MISSING_SAMPLES).with_columns(
        at=at, local=at.dt.convert_time_zone(span.zone.key), kind=pl.lit(BILLABLE)
    )
    busy = np.asarray(ROUND_THE_CLOCK)[frame["local"].dt.hour().to_numpy()] / max(ROUND_THE_CLOCK)
    noise = rng.normal(1.0, 0.12, frame.height).clip(0.3, 1.8)
    bits = frame["peak"].to_numpy() * busy * noise
    steps = (bits * _SAMPLE_S / 8 / _OCTETS_STEP).astype(np.int64)
    frame = frame.with_columns(octets=pl.Series(steps * _OCTETS_STEP))
    cells = [
        pl.col("identifier"),
        pl.col("at_s").cast(pl.String),
        pl.col("direction"),
        pl.col("octets").cast(pl.String),
        pl.lit(str(_SAMPLE_S)),
    ]
    header = "interface,epoch,direction,octets,seconds"
    return delimited(frame, cells, header=header, time_cell=1, quantity_cell=3)


def licences(rng: Rng, owners: pl.DataFrame, span: Span) -> FeedLines:
    """Counts on the 15th and the last day of each month, in one upload at its end."""
    days = [
        day for month_end in _month_ends(span) for day in (month_end.replace(day=15), month_end)
    ]
    counted = pl.DataFrame({"stichtag": days}, schema={"stichtag": pl.Date})
    local = pl.col("stichtag").cast(pl.Datetime("us")).dt.replace_time_zone(span.zone.key)
    frame = (
        owners.join(counted, how="cross")
        .with_columns(local=local, kind=pl.lit(BILLABLE))
        .with_columns(
            at=pl.col("local").dt.convert_time_zone("UTC"),
            # The whole month is in the file of its last day.
            file_day=pl.col("local").dt.month_end(),
        )
        .sort("stichtag", "identifier")
    )
    base = pl.Series(rng.integers(8, 60, frame.height))
    is_large = pl.col("identifier") == owners["identifier"].min()
    count = pl.when(is_large).then(base + 1180).otherwise(base)
    # German spreadsheets group thousands by a point.
    grouped = count.cast(pl.String).str.replace(r"^([0-9]+)([0-9]{3})$", "${1}.${2}")
    frame = frame.with_columns(anzahl=grouped)
    cells = [
        pl.col("identifier"),
        pl.lit("Arbeitsplatz Büro"),
        pl.format("{},0", "anzahl"),
        pl.col("stichtag").dt.strftime("%d.%m.%Y"),
    ]
    return delimited(
        frame.with_columns(local="file_day"),
        cells,
        header="Kundennummer;Produkt;Anzahl;Stichtag",
        time_cell=3,
        quantity_cell=2,
        separator=";",
    )


def _cloud_event(requests: pl.Expr) -> pl.Expr:
    time = pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return pl.concat_str(
        pl.lit('{"specversion":"1.0","id":"'),
        pl.col("number").cast(pl.String).str.zfill(9),
        pl.lit('","source":"/gateways/'),
        pl.col("gateway"),
        pl.lit('","type":"com.example.datastrom.'),
        pl.col("what"),
        pl.lit('","subject":"'),
        pl.col("identifier"),
        pl.lit('","time":"'),
        time,
        pl.lit('","data":{"requests":'),
        requests,
        pl.lit(',"endpoint":"'),
        pl.col("endpoint"),
        pl.lit('"}}'),
    )


def _month_ends(span: Span) -> list[dt.date]:
    """Last days of the months whose middle and end lie in the span."""
    ends = []
    day = span.from_day.replace(day=1)
    while day <= span.until_day:
        end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        if span.from_day <= day.replace(day=15) and end <= span.until_day:
            ends.append(end)
        day = end + dt.timedelta(days=1)
    return ends
