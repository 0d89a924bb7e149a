"""The raw usage of one owner's usage day: whole, or in pieces if it is too large for memory."""

import datetime as dt
from collections.abc import Iterator, Mapping

import polars as pl

from billing_pipeline.books import files, manifest
from billing_pipeline.books.schema import PARTITION_PATHS
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.lake import layout
from billing_pipeline.lake.heaps import Heaps, heaps_of
from billing_pipeline.lake.store import Lake
from billing_pipeline.mediation.pieces import NO_LINKS, hashed_keys, in_pieces, links_between
from billing_pipeline.mediation.reach import Reach
from billing_pipeline.mediation.schema import RAW_USAGE
from billing_pipeline.mediation.usage_days import concerned_rows, records_of_day
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation

RECORDS_PER_PIECE = 500_000
"""About what is mediated at once of a day that is cut."""

MOST_WHOLE = 1_000_000
"""A day of up to so many records is not cut."""

_DATE_LENGTH = len("2026-01-31")


def pieces_of_day(
    installation: Installation, owner_key: str, day: dt.date, reach: Mapping[str, Reach]
) -> Iterator[pl.DataFrame]:
    """RAW_USAGE that belongs to a UTC day, with what reaches into it from days around.

    Every record is in one piece, with all that may concern it; a day that nothing is left of is
    one piece without rows.
    """
    lake = installation.lake
    own, near = _parts(installation, owner_key, day, reach)
    most = int(own["rows"].sum()) + int(near["rows"].sum())
    records = most if most <= MOST_WHOLE else _records(lake, own, near, reach)
    if records <= MOST_WHOLE:
        rows, around = _scan(lake, own).collect(), _concerned(lake, near, reach).collect()
        yield records_of_day(rows, around, day, reach)
        return
    pieces = -(-records // RECORDS_PER_PIECE)
    with heaps_of(RAW_USAGE) as own_heaps, heaps_of(RAW_USAGE) as near_heaps:
        links = _links(lake, own, near, reach)
        for rows in _batches(lake, own):
            _lay(own_heaps, rows, links, pieces)
        for rows in _batches(lake, near):
            _lay(near_heaps, rows.filter(concerned_rows(reach)), links, pieces)
        for piece in range(pieces):
            yield records_of_day(own_heaps.take(piece), near_heaps.take(piece), day, reach)


def _lay(heaps: Heaps, rows: pl.DataFrame, links: pl.DataFrame, pieces: int) -> None:
    for piece, part in in_pieces(rows, links, pieces).items():
        heaps.put(piece, part)


def _links(
    lake: Lake, own: pl.DataFrame, near: pl.DataFrame, reach: Mapping[str, Reach]
) -> pl.DataFrame:
    """LINKS of a day; without sessions an identity is alone, and nothing is read."""
    scans = [_scan(lake, own), _concerned(lake, near, reach)]
    has_sessions = [scan.select(pl.col("session_key").is_not_null().any()) for scan in scans]
    if not any(scan.collect().item() for scan in has_sessions):
        return NO_LINKS
    return links_between(pl.concat([scan.select(hashed_keys()).collect() for scan in scans]))


def _concerned(lake: Lake, parts: pl.DataFrame, reach: Mapping[str, Reach]) -> pl.LazyFrame:
    return _scan(lake, parts).filter(concerned_rows(reach))


def _records(lake: Lake, own: pl.DataFrame, near: pl.DataFrame, reach: Mapping[str, Reach]) -> int:
    concerned = _concerned(lake, near, reach).select(pl.len()).collect().item()
    return int(own["rows"].sum()) + int(concerned)


def _scan(lake: Lake, parts: pl.DataFrame) -> pl.LazyFrame:
    return lake.scan(parts["path"].to_list(), RAW_USAGE)


def _batches(lake: Lake, parts: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows of parts, so many small ones at a time as one piece may have rows."""
    batch = (pl.col("rows").cum_sum() - pl.col("rows")) // RECORDS_PER_PIECE
    for few in parts.with_columns(batch=batch).partition_by("batch", maintain_order=True):
        yield _scan(lake, few).collect()


def _parts(
    installation: Installation, owner_key: str, day: dt.date, reach: Mapping[str, Reach]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """PARTITION_PATHS of the records that began on a day, and of those on days within reach."""
    far = max((feed.days for feed in reach.values()), default=0) * ONE_DAY
    with installation_scope(installation.engine) as connection:
        landed = files.landed_days_of_usage(connection, owner_key, day - far, day + far + ONE_DAY)
        if landed.is_empty():
            return PARTITION_PATHS.empty(), PARTITION_PATHS.empty()
        first, last = min(landed["first_landed"]), max(landed["last_landed"])
        paths = manifest.partition_paths(
            connection, layout.RAW_USAGE, owner_key, first, last + ONE_DAY
        )
    used = pl.col("chunk").str.head(_DATE_LENGTH).str.to_date()
    known = paths.with_columns(usage_day=used).join(landed, on="usage_day", validate="m:1")
    there = known.filter(pl.col("partition_day").is_between("first_landed", "last_landed"))
    is_own = pl.col("usage_day") == day
    ordered = there.sort("usage_day", "partition_day", "chunk")
    return (
        ordered.filter(is_own).select(PARTITION_PATHS.names),
        ordered.filter(~is_own).select(PARTITION_PATHS.names),
    )
