"""Mediate one usage day: raw usage of every feed owner in, events by tenant and suspense out."""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from billing_pipeline.books import catalog, conservation, due, manifest, retention
from billing_pipeline.books.scope import Connection, installation_scope
from billing_pipeline.catalog.entries import feeds_from_entries
from billing_pipeline.lake import layout
from billing_pipeline.mediation.mediate import STAGE, mediate
from billing_pipeline.mediation.reach import Reach, far_reaching
from billing_pipeline.mediation.schema import SET_ASIDE, SUSPENSE, USAGE_EVENTS
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.day_parts import DayParts
from billing_pipeline.orchestration.steps.day_pieces import pieces_of_day
from billing_pipeline.orchestration.steps.latest import Latest
from billing_pipeline.orchestration.steps.standing import standing_records
from billing_pipeline.orchestration.steps.suspense_lives import keep_partition_lives
from billing_pipeline.vocabulary.frames import parts_by
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


_LATEST = Latest[tuple[pl.DataFrame, dict[str, Reach]]]()


def _owner_facts(connection: Connection, owner_key: str) -> tuple[pl.DataFrame, dict[str, Reach]]:
    """GUIDE of an owner's feeds, and how far their records reach."""
    entries = catalog.read_entries(connection, owner_key)
    return catalog.read_guide(connection, owner_key), far_reaching(feeds_from_entries(entries))


def mediate_day(installation: Installation, day: dt.date, *, now: dt.datetime) -> list[MediatedDay]:
    """Mediate a usage day for every tenant that owns feeds. Re-running replaces the day."""
    with installation_scope(installation.engine) as connection:
        owners = due.owners_of_usage_day(connection, day)
    return [mediate_owner_day(installation, owner, day, now=now) for owner in owners]


def mediate_owner_day(
    installation: Installation, owner_key: str, day: dt.date, *, now: dt.datetime
) -> MediatedDay:
    """Mediate one feed owner's usage day and make its parts current.

    A day too large for memory is mediated piece by piece; nothing is current before the last.
    """
    with installation_scope(installation.engine) as connection:
        touched = due.usage_day_touched(connection, owner_key, day)
        key = (installation.books_url, owner_key, catalog.configuration_stamp(connection))
        guide, reach = _LATEST.of(key, lambda: _owner_facts(connection, owner_key))
        earlier = manifest.tenants_of_partition(connection, layout.MEDIATED_USAGE, day)
    released = [key for key, feed in reach.items() if feed.releases_incomplete]
    partitions = [
        *((layout.MEDIATED_USAGE, key) for key in set(earlier) & set(guide["tenant_key"])),
        (layout.MEDIATE_SUSPENSE, owner_key),
        (layout.MEDIATE_SET_ASIDE, owner_key),
    ]
    done = DayParts(installation.lake, STAGE, owner_key, day, partitions)
    for raw in pieces_of_day(installation, owner_key, day, reach):
        standing = standing_records(installation, owner_key, raw)
        mediated = mediate(standing.records, guide, released=released)
        _keep(done, owner_key, raw, standing.with_set_aside(mediated))
    with installation_scope(installation.engine) as connection:
        retention.refuse_masked_owner_day(connection, owner_key, day)
        for part in done.partitions():
            manifest.replace_partition(connection, part.frame, day, part.tenant_key, part.chunks)
        conservation.replace_conservation(connection, done.equation())
        keep_partition_lives(
            connection,
            owner_key,
            STAGE,
            day,
            suspended=done.suspended(),
            went_on=installation.lake.scan(done.paths(layout.MEDIATED_USAGE), USAGE_EVENTS),
            seen_at=now,
        )
        due.record_mediated(
            connection, owner_key, day, touched, done.tenants(layout.MEDIATED_USAGE)
        )
    return _summary(done.equation(), owner_key, day)


def _keep(done: DayParts, owner_key: str, raw: pl.DataFrame, outcome: Outcome) -> None:
    accepted = outcome.accepted
    for tenant_key, events in parts_by(accepted, accepted.get_column("tenant_key")):
        done.write(layout.MEDIATED_USAGE, tenant_key, USAGE_EVENTS.conform(events))
    set_aside = SET_ASIDE.conform(pl.concat([outcome.duplicates, outcome.filtered]))
    done.write(layout.MEDIATE_SUSPENSE, owner_key, SUSPENSE.conform(outcome.suspended))
    done.write(layout.MEDIATE_SET_ASIDE, owner_key, set_aside)
    done.count(raw, outcome)


def _summary(equation: pl.DataFrame, owner_key: str, day: dt.date) -> MediatedDay:
    counts = equation.row(0, named=True)
    return MediatedDay(
        owner_key=owner_key,
        day=day,
        records=counts["records_in"],
        events=counts["accepted"],
        duplicates=counts["duplicates"],
        suspended=counts["suspended"],
        filtered=counts["filtered"],
    )
