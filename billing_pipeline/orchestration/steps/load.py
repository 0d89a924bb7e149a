"""Load one landing day: archive new files, decode them, keep raw usage by usage day.

The rows of a batch of files, their place in the register and the usage days they touch become
current in one transaction; whatever a killed run left in the lake is never looked at.
"""

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

from billing_pipeline.books import files, loading, retention
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.books.usage_schema import ARCHIVED_FILES
from billing_pipeline.intake.archive import (
    ArchivedFile,
    UploadChanged,
    UploadMissing,
    archive_upload,
)
from billing_pipeline.intake.landing import Upload
from billing_pipeline.mediation.refusal import QuarantineReason
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.make_current import (
    Batch,
    make_current,
    make_current_instead,
)
from billing_pipeline.orchestration.steps.owner_feeds import OwnerFeeds
from billing_pipeline.orchestration.steps.raw_parts import RawParts
from billing_pipeline.orchestration.steps.read_files import FileReader, WaitingFile

FILES_PER_BATCH = 2_000
_COLUMNS = (
    "file_id",
    "tenant_key",
    "feed_key",
    "url",
    "name",
    "size_bytes",
    "landed_at",
    "decided_by",
)


@dataclass
class LoadedDay:
    """What loading a landing day came to, in files and records."""

    landing_day: dt.date
    files: int = 0
    empty: int = 0
    duplicate_files: int = 0
    replaced_files: int = 0
    quarantined: list[str] = field(default_factory=list)
    records: int = 0
    accepted: int = 0
    suspended: int = 0
    filtered: int = 0

    @property
    def has_files(self) -> bool:
        """Whether any file was looked at."""
        return bool(self.files or self.empty or self.duplicate_files or self.quarantined)

    def add(self, batch: Batch, loaded: pl.DataFrame, replaced: int) -> None:
        """Count a batch that became current."""
        self.files += loaded.height
        self.replaced_files += replaced
        self.empty += batch.empty
        self.quarantined += batch.quarantined
        self.records += int(loaded["records"].sum())
        self.accepted += int(loaded["accepted"].sum())
        self.suspended += int(loaded["suspended"].sum())
        self.filtered += int(loaded["filtered"].sum())


class NothingToReload(Exception):
    """No file of the landing day was loaded."""


class Loader:
    """Loads landing days; reads each owner's feeds once."""

    def __init__(self, installation: Installation, now: dt.datetime) -> None:
        self._installation = installation
        self._now = now
        self._feeds = OwnerFeeds(installation)

    def load_landing_day(self, landing_day: dt.date) -> LoadedDay:
        """Load every file registered on a landing day and not loaded yet, batch by batch."""
        loaded = LoadedDay(landing_day)
        while waiting := self._next_files(landing_day):
            for tenant_key in sorted({file.tenant_key for file in waiting}):
                own = [file for file in waiting if file.tenant_key == tenant_key]
                self._load_batch(tenant_key, own, loaded)
        return loaded

    def reload_landing_day(
        self, tenant_key: str, landing_day: dt.date, *, by: str, note: str
    ) -> LoadedDay:
        """Read an owner's loaded files of a landing day anew from the archive, as feeds are now.

        What they were loaded as stays current until the moment all of them are there again.
        Raises: NothingToReload.
        """
        loaded = LoadedDay(landing_day)
        parts = RawParts(self._installation.lake, tenant_key, landing_day)
        batch = Batch(tenant_key, landing_day, parts, self._feeds, self._now)
        reader = FileReader(self._feeds, batch)
        for file, copy in self._archived(tenant_key, landing_day):
            reader.read(file, copy, is_name_taken=False)
        reader.finish()
        parts.flush()
        with tenant_scope(self._installation.engine, tenant_key) as connection:
            files.reload_files(connection, tenant_key, landing_day, reloaded_by=by, note=note)
            current, replaced = make_current_instead(self._installation, connection, batch)
        loaded.add(batch, current, replaced)
        return loaded

    def _archived(
        self, tenant_key: str, landing_day: dt.date
    ) -> list[tuple[WaitingFile, ArchivedFile]]:
        with tenant_scope(self._installation.engine, tenant_key) as connection:
            every = files.read_files(connection, "loaded", "superseded")
            is_masked = retention.is_landing_day_masked(connection, tenant_key, landing_day)
        own = every.filter(pl.col("tenant_key") == tenant_key, pl.col("landing_day") == landing_day)
        if is_masked:
            raise NothingToReload(
                f"usage that landed on {landing_day} at {tenant_key} was masked as its retention "
                "says; the originals are gone"
            )
        if own.is_empty():
            raise NothingToReload(f"{tenant_key} has no loaded file that landed on {landing_day}")
        copies = own.select("file_key", "name", "size_bytes", "archive_path").rows()
        return [
            (WaitingFile(*row), ArchivedFile(*copy))
            for row, copy in zip(own.select(_COLUMNS).rows(), copies, strict=True)
        ]

    def _next_files(self, landing_day: dt.date) -> list[WaitingFile]:
        with installation_scope(self._installation.engine) as connection:
            waiting = files.unloaded_files(connection, landing_day, FILES_PER_BATCH)
        return [WaitingFile(*row) for row in waiting.select(_COLUMNS).rows()]

    def _load_batch(self, tenant_key: str, waiting: list[WaitingFile], loaded: LoadedDay) -> None:
        parts = RawParts(self._installation.lake, tenant_key, loaded.landing_day)
        batch = Batch(tenant_key, loaded.landing_day, parts, self._feeds, self._now)
        archived = self._archive(waiting, batch)
        verdicts = self._verdicts(tenant_key, archived)
        reader = FileReader(self._feeds, batch)
        for file, copy in archived:
            is_duplicate, is_name_taken = verdicts[file.file_id]
            if is_duplicate:
                loaded.duplicate_files += 1
                batch.repeated_feeds.add(file.feed_key)
                continue
            reader.read(file, copy, is_name_taken=is_name_taken)
        reader.finish()
        parts.flush()
        loaded.add(batch, *make_current(self._installation, batch))

    def _archive(
        self, waiting: list[WaitingFile], batch: Batch
    ) -> list[tuple[WaitingFile, ArchivedFile]]:
        """Keep every upload untouched; one that is gone or is still written to is put aside."""
        archived: list[tuple[WaitingFile, ArchivedFile]] = []
        for file in waiting:
            try:
                copy = archive_upload(_upload(file), self._installation.archive_url)
            except UploadChanged as changed:
                batch.refuse(file.file_id, file.name, QuarantineReason.UPLOAD_CHANGED, str(changed))
            except UploadMissing as missing:
                batch.refuse(file.file_id, file.name, QuarantineReason.UPLOAD_MISSING, str(missing))
            else:
                archived.append((file, copy))
        return archived

    def _verdicts(
        self, tenant_key: str, archived: list[tuple[WaitingFile, ArchivedFile]]
    ) -> dict[int, tuple[bool, bool]]:
        rows = [(file.file_id, copy.file_key, copy.archive_path) for file, copy in archived]
        frame = pl.DataFrame(rows, schema=ARCHIVED_FILES.polars_schema, orient="row")
        with tenant_scope(self._installation.engine, tenant_key) as connection:
            verdicts = loading.record_archived(connection, tenant_key, frame)
        return {file_id: (repeated, taken) for file_id, repeated, taken in verdicts.rows()}


def _upload(file: WaitingFile) -> Upload:
    return Upload(
        path=f"{file.tenant_key}/{file.feed_key}/{file.name}",
        url=file.url,
        name=file.name,
        size=file.size_bytes,
        etag="",
        modified_at=file.landed_at,
    )
