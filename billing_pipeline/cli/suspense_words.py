"""Suspense in words and columns, for a terminal."""

import datetime as dt
from collections.abc import Iterator

import polars as pl


def group_lines(groups: pl.DataFrame, by: str, now: dt.datetime, limit: int) -> Iterator[str]:
    """A table of groups."""
    if groups.is_empty():
        yield "nothing is in suspense"
        return
    yield (
        f"{'records':>7} {'oldest':>7} {'tries':>5}  {'worth about':>16}  "
        f"{'tenant':<12} {'stage':<8} {by:<24} first event"
    )
    for tenant, stage, group, currency, records, oldest, tries, day, value, unvalued in groups.head(
        limit
    ).rows():
        age = f"{(now - oldest).days} d"
        worth = f"{value:z.2f} {currency}" if unvalued < records else "?"
        yield (
            f"{records:>7} {age:>7} {tries:>5}  {worth:>16}  "
            f"{tenant:<12} {stage:<8} {group or '-':<24} {day or '-'}"
        )
    if groups.height > limit:
        yield f"... and {groups.height - limit} more (--limit)"


def record_lines(records: pl.DataFrame, now: dt.datetime) -> Iterator[str]:
    """Each record with its text, its life and what was decided."""
    if records.is_empty():
        yield "nothing is in suspense"
    for row in records.rows(named=True):
        yield (
            f"{row['file_name'] or '?'} record {row['record_number']} ({row['file_key']})  "
            f"{row['tenant_key']} {row['feed_key']} {row['stage']}: {row['reason']}"
        )
        if row["detail"]:
            yield f"    {row['detail']}"
        yield f"    {row['raw'] or 'the record itself is in the archived file'}"
        yield f"    {_life(row, now)}"


def _life(row: dict[str, object], now: dt.datetime) -> str:
    since = row["first_seen_at"]
    days = (now - since).days if isinstance(since, dt.datetime) else 0
    words = f"{row['state']}, first seen {since:%Y-%m-%d %H:%M}, {days} days ago"
    words += f", {row['attempts']} attempts"
    if row["estimated_value"] is not None:
        words += f", worth about {row['estimated_value']:z.2f} {row['currency']}"
    if row["closed_at"] is not None:
        words += f", ended {row['closed_at']:%Y-%m-%d %H:%M}"
    if row["decided_by"] is not None:
        words += f" by {row['decided_by']}: {row['decision_note']}"
    return words
