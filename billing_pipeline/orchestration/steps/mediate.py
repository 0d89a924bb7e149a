"""Mediate one usage day: raw usage of every feed owner in, events by tenant and suspense out."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.conservation import conservation_row
from billing_pipeline.books import catalog, conservation, due, files, manifest
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.catalog.entries import feeds_from_entries
from billing_pipeline.lake import layout
from billing_pipeline.mediation.mediate import STAGE, mediate
from billing_pipeline.mediation.reach import Reach, far_reaching
from billing_pipeline.mediation.schema import RAW_USAGE, SET_ASIDE, SUSPENSE, USAGE_EVENTS
from billing_pipeline.mediation.usage_days import concerned_rows, records_of_day
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.keep import KeptFrame, keep_frames
from billing_pipeline.orchestration.steps.standing import standing_records
from billing_pipeline.orchestration.steps.suspense_lives import keep_partition_lives
from billing_pipeline.vocabulary.outcome import Outcome


@dataclass(frozen=True)
class MediatedDay:
    """What mediating one owner's day came to, in records."""

    owner_key: str
    day: dt.date
    records: int
    events: int
    duplicates: int
    suspended: int
    filtered: int


def mediate_day(installation: Installation, day: dt.date, *, now: dt.datetime) -> list[MediatedDay]:
    """Mediate a usage day for every tenant that owns feeds. Re-running replaces the day."""
    with installation_scope(installation.engine) as connection:
        owners = due.owners_of_usage_day(connection, day)
    return [mediate_owner_day(installation, owner, day, now=now) for owner in owners]


def mediate_owner_day(
    installation: Installation, owner_key: str, day: dt.date, *, now: dt.datetime
) -> MediatedDay:
    """Mediate one feed owner's usage day and make its parts current."""
    with installation_scope(installation.engine) as connection:
        touched = due.usage_day_touched(connection, owner_key, day)
        guide = catalog.read_guide(connection, owner_key)
        earlier = manifest.tenants_of_partition(connection, layout.MEDIATED_USAGE, day)
        reach = far_reaching(feeds_from_entries(catalog.read_entries(connection, owner_key)))
    raw = read_day(installation, owner_key, day, reach)
    standing = standing_records(installation, owner_key, raw)
    released = [key for key, feed in reach.items() if feed.releases_incomplete]
    outcome = standing.with_set_aside(mediate(standing.records, guide, released=released))
    tenants = sorted(
        set(outcome.accepted["tenant_key"].unique()) | (set(earlier) & set(guide["tenant_key"]))
    )
    written = keep_frames(installation.lake, _frames(owner_key, tenants, outcome), day)
    with installation_scope(installation.engine) as connection:
        for part in written:
            manifest.replace_partition(connection, part.frame, day, part.tenant_key, part.chunks)
        conservation.replace_conservation(connection, _conserved(owner_key, day, raw, outcome))
        keep_partition_lives(
            connection,
            owner_key,
            STAGE,
            day,
            suspended=outcome.suspended,
            went_on=outcome.accepted,
            seen_at=now,
        )
        due.record_mediated(connection, owner_key, day, touched, tenants)
    return _summary(owner_key, day, raw, outcome)


def read_day(
    installation: Installation, owner_key: str, day: dt.date, reach: Mapping[str, Reach]
) -> pl.DataFrame:
    """All loaded records that belong to a UTC day, with what reaches into it from days around."""
    own = scan_raw_usage(installation, owner_key, day).collect()
    far = max((feed.days for feed in reach.values()), default=0)
    around = [
        scan_raw_usage(installation, owner_key, day + offset * ONE_DAY)
        .filter(concerned_rows(reach))
        .collect()
        for offset in range(-far, far + 1)
        if offset
    ]
    return records_of_day(own, pl.concat([RAW_USAGE.empty(), *around]), day, reach)


def scan_raw_usage(installation: Installation, owner_key: str, day: dt.date) -> pl.LazyFrame:
    """All loaded records of an owner's feeds that began on a UTC day."""
    with installation_scope(installation.engine) as connection:
        landed = files.files_of_usage_day(connection, owner_key, day)
        if landed.is_empty():
            return RAW_USAGE.empty().lazy()
        paths = manifest.partition_paths(
            connection,
            layout.RAW_USAGE,
            owner_key,
            landed["landing_day"][0],
            landed["landing_day"][-1] + ONE_DAY,
        ).filter(pl.col("chunk").str.starts_with(f"{day.isoformat()}/"))
    return installation.lake.scan(paths["path"].to_list(), RAW_USAGE)


def _frames(owner_key: str, tenants: list[str], outcome: Outcome) -> list[KeptFrame]:
    events = [
        KeptFrame(
            layout.MEDIATED_USAGE,
            tenant_key,
            USAGE_EVENTS.conform(outcome.accepted.filter(pl.col("tenant_key") == tenant_key)),
        )
        for tenant_key in tenants
    ]
    set_aside = pl.concat([outcome.duplicates, outcome.filtered])
    return [
        *events,
        KeptFrame(layout.MEDIATE_SUSPENSE, owner_key, SUSPENSE.conform(outcome.suspended)),
        KeptFrame(layout.MEDIATE_SET_ASIDE, owner_key, SET_ASIDE.conform(set_aside)),
    ]


def _conserved(owner_key: str, day: dt.date, raw: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    quantity = Decimal(raw["quantity"].sum() or 0)
    return conservation_row("mediate", day, owner_key, "", raw.height, quantity, outcome)


def _summary(owner_key: str, day: dt.date, raw: pl.DataFrame, outcome: Outcome) -> MediatedDay:
    return MediatedDay(
        owner_key=owner_key,
        day=day,
        records=raw.height,
        events=outcome.accepted.height,
        duplicates=outcome.duplicates.height,
        suspended=outcome.suspended.height,
        filtered=outcome.filtered.height,
    )
