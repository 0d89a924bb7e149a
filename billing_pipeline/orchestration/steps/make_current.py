"""Make a loaded batch current: its parts, its files, the days they touch, its equation."""

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

from billing_pipeline.assurance.schema import CONSERVATION
from billing_pipeline.books import conservation, loading, manifest, staleness, suspense
from billing_pipeline.books.scope import Connection, tenant_scope
from billing_pipeline.books.usage_schema import LOADED_FILES, REFUSED_FILES
from billing_pipeline.lake import layout
from billing_pipeline.mediation.schema import RAW_USAGE
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.deliveries import is_replacing, settle_deliveries
from billing_pipeline.orchestration.steps.keep import CHUNKS
from billing_pipeline.orchestration.steps.owner_feeds import OwnerFeeds
from billing_pipeline.orchestration.steps.raw_parts import RawParts
from billing_pipeline.orchestration.steps.suspense_lives import end_lives

STAGE = "decode"
_FRAMES = (layout.RAW_USAGE, layout.DECODE_SUSPENSE, layout.DECODE_SET_ASIDE)


@dataclass
class Batch:
    """Files of one owner and landing day that become current together, or not at all."""

    tenant_key: str
    landing_day: dt.date
    parts: RawParts
    feeds: OwnerFeeds
    now: dt.datetime
    refused: list[tuple[int, str, str, str]] = field(default_factory=list)
    quarantined: list[str] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    """The number each file gives itself, where its feed says where."""
    repeated_feeds: set[str] = field(default_factory=set)
    """Feeds of which a content came again: it may take the place of what replaced it."""

    @property
    def empty(self) -> int:
        """How many files held no record."""
        return sum(file.records == 0 for file in self.parts.files)

    def refuse(self, file_id: int, name: str, reason: str, message: str) -> None:
        """Put a whole file aside."""
        self.refused.append((file_id, "quarantined", str(reason), message))
        self.quarantined.append(f"{name}: {message}")

    def refused_files(self) -> pl.DataFrame:
        """REFUSED_FILES: the quarantined and the empty ones."""
        empty = [
            (file.file_id, "empty", "empty", "no records")
            for file in self.parts.files
            if file.records == 0
        ]
        return pl.DataFrame(
            [*self.refused, *empty], schema=REFUSED_FILES.polars_schema, orient="row"
        )


def make_current(installation: Installation, batch: Batch) -> tuple[pl.DataFrame, int]:
    """Name a batch's parts current beside those of its day.

    Returns the loaded files and how many others they replaced.
    Raises: NotConserved if the lake does not keep what was decoded.
    """
    loaded = batch.parts.loaded_files()
    with tenant_scope(installation.engine, batch.tenant_key) as connection:
        for frame, chunks in _chunks(batch.parts):
            manifest.add_chunk(connection, frame, batch.landing_day, batch.tenant_key, chunks)
        earlier = conservation.read_conservation(
            connection, batch.landing_day, batch.landing_day + ONE_DAY, batch.tenant_key
        )
        replaced = _record(installation, connection, batch, loaded, earlier)
    return loaded, replaced


def make_current_instead(
    installation: Installation, connection: Connection, batch: Batch
) -> tuple[pl.DataFrame, int]:
    """Name a batch's parts all that its landing day consists of.

    Returns the loaded files and how many others they replaced.
    Raises: NotConserved if the lake does not keep what was decoded.
    """
    loaded = batch.parts.loaded_files()
    chunks = dict(_chunks(batch.parts))
    for frame in _FRAMES:
        own = chunks.get(frame, pl.DataFrame(schema=CHUNKS))
        manifest.replace_partition(connection, frame, batch.landing_day, batch.tenant_key, own)
    conservation.clear_conservation(connection, STAGE, batch.landing_day, batch.tenant_key)
    return loaded, _record(installation, connection, batch, loaded, CONSERVATION.empty())


def _chunks(parts: RawParts) -> list[tuple[str, pl.DataFrame]]:
    return [
        (
            frame,
            pl.DataFrame(
                [part[1:] for part in parts.written if part.frame == frame],
                schema=CHUNKS,
                orient="row",
            ),
        )
        for frame in _FRAMES
        if any(part.frame == frame for part in parts.written)
    ]


def _record(
    installation: Installation,
    connection: Connection,
    batch: Batch,
    loaded: pl.DataFrame,
    earlier: pl.DataFrame,
) -> int:
    tenant_key = batch.tenant_key
    days = batch.parts.usage_days().join(loaded, on="file_id", how="semi")
    loading.record_loaded(connection, tenant_key, loaded.select(LOADED_FILES.names), days)
    loading.record_refused(connection, tenant_key, batch.refused_files())
    loading.record_numbers(connection, tenant_key, batch.numbers)
    staleness.touch_known_usage_days(connection, tenant_key, sorted(batch.parts.reopened_days))
    conservation.replace_conservation(connection, _equation(batch, loaded, earlier))
    _keep_lives(installation, connection, batch, loaded)
    touched = {*loaded["feed_key"], *batch.repeated_feeds}
    replacing = [
        feed
        for feed in batch.feeds.of_owner(tenant_key)
        if is_replacing(feed) and feed.key in touched
    ]
    return sum(settle_deliveries(connection, tenant_key, feed) for feed in replacing)


def _keep_lives(
    installation: Installation, connection: Connection, batch: Batch, loaded: pl.DataFrame
) -> None:
    suspended = batch.parts.suspended()
    waited = suspense.open_records(
        connection, batch.tenant_key, STAGE, file_keys=loaded["file_key"].to_list()
    )
    if waited.height:
        raw = [part.path for part in batch.parts.written if part.frame == layout.RAW_USAGE]
        end_lives(
            connection,
            batch.tenant_key,
            STAGE,
            waited,
            suspended=suspended,
            went_on=installation.lake.scan(raw, RAW_USAGE),
            at=batch.now,
        )
    suspense.keep_suspense(
        connection, batch.tenant_key, STAGE, batch.landing_day, suspended, seen_at=batch.now
    )


def _equation(batch: Batch, loaded: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Earlier batches of the day plus this one, by feed: the day's whole equation."""
    now = loaded.select(
        stage=pl.lit(STAGE),
        partition_day=pl.lit(batch.landing_day, pl.Date),
        tenant_key=pl.lit(batch.tenant_key),
        feed_key="feed_key",
        records_in="records",
        accepted="accepted",
        duplicates=pl.lit(0, pl.Int64),
        suspended="suspended",
        filtered="filtered",
        quantity_in="quantity",
        quantity_out="quantity_kept",
    )
    keys = ["stage", "partition_day", "tenant_key", "feed_key"]
    counts = [name for name in CONSERVATION.names if name not in keys]
    both = pl.concat([earlier.filter(pl.col("stage") == STAGE), now])
    return (
        both.group_by(keys, maintain_order=True)
        .agg(pl.col(counts).sum())
        .select(CONSERVATION.names)
        .cast(CONSERVATION.polars_schema)
    )
