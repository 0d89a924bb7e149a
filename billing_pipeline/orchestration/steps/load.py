"""Load one landing day: archive new files, decode them, keep raw usage by usage day.

A file's rows, its place in the register and the usage days it touches become current in one
transaction; whatever a killed run left in the lake is never looked at.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from billing_pipeline.assurance.schema import CONSERVATION
from billing_pipeline.books import catalog as stored
from billing_pipeline.books import conservation, due, files, manifest
from billing_pipeline.books.database import STORAGE_FAULTS
from billing_pipeline.books.scope import Connection, installation_scope, tenant_scope
from billing_pipeline.catalog.entries import feeds_from_entries
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.intake.archive import archive_upload, open_usage
from billing_pipeline.intake.landing import Upload
from billing_pipeline.mediation.decode import decode_blocks
from billing_pipeline.mediation.match import matching_feed
from billing_pipeline.mediation.reach import reach_of
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.keep import CHUNKS
from billing_pipeline.orchestration.steps.raw_parts import LoadedFile, RawParts

FILES_PER_BATCH = 2_000


@dataclass
class LoadedDay:
    """What loading a landing day came to, in files and records."""

    landing_day: dt.date
    files: int = 0
    empty: int = 0
    duplicate_files: int = 0
    quarantined: list[str] = field(default_factory=list)
    records: int = 0
    accepted: int = 0
    suspended: int = 0
    filtered: int = 0

    @property
    def has_files(self) -> bool:
        """Whether any file was looked at."""
        return bool(self.files or self.empty or self.duplicate_files or self.quarantined)


@dataclass(frozen=True)
class _Waiting:
    """One registered file that is not loaded yet."""

    file_id: int
    tenant_key: str
    feed_key: str
    url: str
    name: str
    size_bytes: int


class Loader:
    """Loads landing days; reads each owner's feeds once."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._feeds = _Feeds(installation)

    def load_landing_day(self, landing_day: dt.date) -> LoadedDay:
        """Load every file registered on a landing day and not loaded yet, batch by batch."""
        loaded = LoadedDay(landing_day)
        while batch := _next_batch(self._installation, landing_day):
            for tenant_key in sorted({waiting.tenant_key for waiting in batch}):
                own = [waiting for waiting in batch if waiting.tenant_key == tenant_key]
                _load_batch(self._installation, self._feeds, tenant_key, own, loaded)
        return loaded


class _Feeds:
    """Feed definitions by owner, read once a run."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._by_owner: dict[str, tuple[Feed, ...]] = {}

    def of(self, waiting: _Waiting) -> Feed:
        """The feed of a file: named by its folder, and its pattern must fit.

        Raises: FileRefused if the owner has no such feed or the name does not fit.
        """
        owner = waiting.tenant_key
        if owner not in self._by_owner:
            with tenant_scope(self._installation.engine, owner) as connection:
                entries = stored.read_entries(connection, owner)
            self._by_owner[owner] = tuple(feeds_from_entries(entries))
        candidates = [feed for feed in self._by_owner[owner] if feed.key == waiting.feed_key]
        feed = matching_feed(waiting.name, candidates)
        if feed is None:
            raise FileRefused(
                QuarantineReason.UNEXPECTED_NAME,
                f"{owner} has no feed {waiting.feed_key!r} that takes a file named "
                f"{waiting.name!r}; correct the feed's file pattern or move the file",
            )
        return feed


def _next_batch(installation: Installation, landing_day: dt.date) -> list[_Waiting]:
    with installation_scope(installation.engine) as connection:
        waiting = files.unloaded_files(connection, landing_day, FILES_PER_BATCH)
    columns = ("file_id", "tenant_key", "feed_key", "url", "name", "size_bytes")
    return [_Waiting(*row) for row in waiting.select(columns).rows()]


def _load_batch(
    installation: Installation,
    feeds: _Feeds,
    tenant_key: str,
    batch: list[_Waiting],
    loaded: LoadedDay,
) -> None:
    parts = RawParts(installation.lake, tenant_key, loaded.landing_day)
    for waiting in batch:
        _load_file(installation, feeds, waiting, parts, loaded)
    parts.flush()
    with tenant_scope(installation.engine, tenant_key) as connection:
        _make_current(connection, tenant_key, parts, loaded)


def _load_file(
    installation: Installation,
    feeds: _Feeds,
    waiting: _Waiting,
    parts: RawParts,
    loaded: LoadedDay,
) -> None:
    archived = archive_upload(_upload(waiting, loaded.landing_day), installation.archive_url)
    with tenant_scope(installation.engine, waiting.tenant_key) as connection:
        is_new = files.record_archived(
            connection,
            waiting.file_id,
            file_key=archived.file_key,
            archive_path=archived.archive_path,
        )
    if not is_new:
        loaded.duplicate_files += 1
        return
    try:
        feed = feeds.of(waiting)
        limits = (feed.match.max_bytes, feed.match.max_ratio)
        with open_usage(archived.archive_path, waiting.name, *limits) as stream:
            parts.add(
                waiting.file_id,
                feed.key,
                decode_blocks(feed, stream, archived.file_key),
                reach_of(feed),
            )
    except FileRefused as refusal:
        _refuse(installation, waiting, refusal, loaded)
    except (OSError, *STORAGE_FAULTS):
        raise
    except Exception as error:  # noqa: BLE001 - whatever one file does, its neighbours are loaded
        message = f"reading it failed with {type(error).__name__}: {error}; please report this file"
        _refuse(installation, waiting, FileRefused(QuarantineReason.READER_FAILED, message), loaded)


def _upload(waiting: _Waiting, landing_day: dt.date) -> Upload:
    return Upload(
        path=f"{waiting.tenant_key}/{waiting.feed_key}/{waiting.name}",
        url=waiting.url,
        name=waiting.name,
        size=waiting.size_bytes,
        etag="",
        modified_at=dt.datetime.combine(landing_day, dt.time(), tzinfo=dt.UTC),
    )


def _refuse(
    installation: Installation, waiting: _Waiting, refusal: FileRefused, loaded: LoadedDay
) -> None:
    loaded.quarantined.append(f"{waiting.name}: {refusal.message}")
    with tenant_scope(installation.engine, waiting.tenant_key) as connection:
        files.record_refused(
            connection,
            waiting.file_id,
            state="quarantined",
            reason=str(refusal.reason),
            message=refusal.message,
        )


def _make_current(
    connection: Connection, tenant_key: str, parts: RawParts, loaded: LoadedDay
) -> None:
    for part in parts.written:
        chunk = pl.DataFrame(
            [(part.chunk, part.path, part.rows, part.bytes)], schema=CHUNKS, orient="row"
        )
        manifest.add_chunk(connection, part.frame, loaded.landing_day, tenant_key, chunk)
    for file in parts.files:
        _record_file(connection, tenant_key, file, loaded)
    rows = pl.concat(list(_conservation(connection, tenant_key, parts.files, loaded.landing_day)))
    conservation.replace_conservation(connection, rows)


def _record_file(
    connection: Connection, tenant_key: str, file: LoadedFile, loaded: LoadedDay
) -> None:
    if file.records == 0:
        files.record_refused(
            connection, file.file_id, state="empty", reason="empty", message="no records"
        )
        loaded.empty += 1
        return
    files.record_loaded(
        connection,
        file.file_id,
        records=file.records,
        accepted=file.accepted,
        suspended=file.suspended,
        filtered=file.filtered,
        quantity=file.quantity,
        usage_days=file.usage_days,
    )
    due.reopen_usage_days(connection, tenant_key, file.reopened_days)
    loaded.files += 1
    loaded.records += file.records
    loaded.accepted += file.accepted
    loaded.suspended += file.suspended
    loaded.filtered += file.filtered


def _conservation(
    connection: Connection, tenant_key: str, loaded: list[LoadedFile], landing_day: dt.date
) -> Iterator[pl.DataFrame]:
    """Earlier batches of the day plus this one, by feed: the day's whole equation."""
    earlier = conservation.read_conservation(
        connection, landing_day, landing_day + ONE_DAY, tenant_key
    )
    now = pl.DataFrame(
        [
            (
                "decode",
                landing_day,
                tenant_key,
                file.feed_key,
                file.records,
                file.accepted,
                0,
                file.suspended,
                file.filtered,
                file.quantity,
                file.quantity_out,
            )
            for file in loaded
        ],
        schema=CONSERVATION.polars_schema,
        orient="row",
    )
    keys = ["stage", "partition_day", "tenant_key", "feed_key"]
    counts = [name for name in CONSERVATION.names if name not in keys]
    both = pl.concat([earlier.filter(pl.col("stage") == "decode"), now])
    yield (
        both.group_by(keys, maintain_order=True)
        .agg(pl.col(counts).sum())
        .select(CONSERVATION.names)
        .cast(CONSERVATION.polars_schema)
    )
