"""Mask usage of a family in the lake, and remove what else tells whom usage was with.

The masked parts become current in one transaction with the mark of their day; only then are the
earlier files removed. A run that dies leaves files that the next run removes.
"""

import datetime as dt
from collections.abc import Sequence

import polars as pl

from billing_pipeline.books import catalog, manifest, retention
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.catalog.entries import feeds_from_entries
from billing_pipeline.customers.retention import Family
from billing_pipeline.documents.store import remove_document
from billing_pipeline.intake.archive import remove_original
from billing_pipeline.lake import layout
from billing_pipeline.lake.tidy import keep_only
from billing_pipeline.mediation.masking import masked
from billing_pipeline.mediation.reach import far_reaching
from billing_pipeline.mediation.schema import RAW_USAGE, SUSPENSE, USAGE_EVENTS
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.keep import CHUNKS
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.frames import FrameSchema

_OF_USAGE_DAY: dict[str, FrameSchema] = {
    layout.MEDIATED_USAGE: USAGE_EVENTS,
    layout.MEDIATE_SUSPENSE: SUSPENSE,
    layout.RATED_USAGE: RATED_USAGE,
    layout.RATE_SUSPENSE: SUSPENSE,
}
_OF_LANDING_DAY: dict[str, FrameSchema] = {
    layout.RAW_USAGE: RAW_USAGE,
    layout.DECODE_SUSPENSE: SUSPENSE,
}
Masked = dict[tuple[str, str], pl.DataFrame]
"""Masked parts by frame and tenant, in the columns of the manifest."""


def mask_usage_day(
    installation: Installation, family: Family, day: dt.date, now: dt.datetime
) -> None:
    """Mask what was mediated and rated of a family's usage day.

    Raises: DayTouched if usage came for the day meanwhile.
    """
    parts = _masked_parts(installation, family.tenant_keys, _OF_USAGE_DAY, day)
    with installation_scope(installation.engine) as connection:
        retention.mark_usage_day_masked(connection, family.tenant_keys, day, now)
        for (frame, tenant_key), chunks in parts.items():
            manifest.replace_partition(connection, frame, day, tenant_key, chunks)


def mask_landing_day(
    installation: Installation, family: Family, day: dt.date, now: dt.datetime
) -> None:
    """Mask the raw usage of the files that landed on a day."""
    parts = _masked_parts(installation, family.tenant_keys, _OF_LANDING_DAY, day)
    with installation_scope(installation.engine) as connection:
        retention.mark_landing_day_masked(connection, family.tenant_keys, day, now)
        for (frame, tenant_key), chunks in parts.items():
            manifest.replace_partition(connection, frame, day, tenant_key, chunks)


def remove_what_is_left(installation: Installation, family: Family, now: dt.datetime) -> int:
    """Remove earlier files, itemisations and originals of what is masked; return how many."""
    return (
        _remove_earlier_parts(installation, family.tenant_keys, now)
        + _remove_itemisations(installation, family.tenant_keys, now)
        + _remove_originals(installation, family.tenant_keys)
    )


def reach_days(installation: Installation, tenant_keys: Sequence[str]) -> int:
    """How many days around its own a record of any feed of a family may concern."""
    with installation_scope(installation.engine) as connection:
        reaches = [
            far_reaching(feeds_from_entries(catalog.read_entries(connection, key))).values()
            for key in tenant_keys
        ]
    return max((reach.days for reached in reaches for reach in reached), default=0)


def _masked_parts(
    installation: Installation,
    tenant_keys: Sequence[str],
    frames: dict[str, FrameSchema],
    day: dt.date,
) -> Masked:
    lake, done = installation.lake, {}
    for frame, schema in frames.items():
        for tenant_key in tenant_keys:
            chunks = []
            for chunk, path in _paths(installation, frame, tenant_key, day).rows():
                rows = schema.conform(masked(lake.scan([path], schema).collect(), tenant_key))
                part = lake.write(rows, path.rsplit("/", 1)[0])
                chunks.append((chunk, part.path, part.rows, part.bytes))
            if chunks:
                done[frame, tenant_key] = pl.DataFrame(chunks, schema=CHUNKS, orient="row")
    return done


def _paths(installation: Installation, frame: str, tenant_key: str, day: dt.date) -> pl.DataFrame:
    with installation_scope(installation.engine) as connection:
        found = manifest.partition_paths(connection, frame, tenant_key, day, day + ONE_DAY)
    return found.select("chunk", "path")


def _remove_earlier_parts(
    installation: Installation, tenant_keys: Sequence[str], now: dt.datetime
) -> int:
    with installation_scope(installation.engine) as connection:
        untidy = retention.untidy_partitions(connection, tenant_keys)
    gone = 0
    for frame, tenant_key, day in untidy.rows():
        of_landing = frame in _OF_LANDING_DAY
        folder = (layout.landed_folder if of_landing else layout.day_folder)(frame, tenant_key, day)
        current = _paths(installation, frame, tenant_key, day)["path"].to_list()
        gone += keep_only(installation.lake, folder, current)
        with installation_scope(installation.engine) as connection:
            retention.record_tidied(connection, frame, tenant_key, day, now)
    return gone


def _remove_itemisations(
    installation: Installation, tenant_keys: Sequence[str], now: dt.datetime
) -> int:
    with installation_scope(installation.engine) as connection:
        found = retention.itemisations_of_masked_usage(connection, tenant_keys)
    for path in found["path"]:
        remove_document(path)
    with installation_scope(installation.engine) as connection:
        retention.record_removed_documents(connection, found, now)
    return found.height


def _remove_originals(installation: Installation, tenant_keys: Sequence[str]) -> int:
    with installation_scope(installation.engine) as connection:
        found = retention.forgotten_files(connection, tenant_keys)
    for _, archive_path, url in found.rows():
        remove_original(archive_path)
        remove_original(url)
    with installation_scope(installation.engine) as connection:
        retention.record_forgotten(connection, found["file_id"].to_list())
    return found.height
