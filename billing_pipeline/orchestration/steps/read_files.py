"""Read archived files into a batch: large ones block by block, small ones of a feed together."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, NamedTuple

from billing_pipeline.books.database import STORAGE_FAULTS
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.intake.archive import ArchivedFile, open_usage
from billing_pipeline.mediation.decode import decode_blocks
from billing_pipeline.mediation.decode_together import (
    MOST_BYTES,
    FramedFile,
    decode_together,
    framed_alone,
    is_decoded_together,
)
from billing_pipeline.mediation.file_number import number_in_file
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason
from billing_pipeline.orchestration.ahead import one_ahead
from billing_pipeline.orchestration.steps.file_tally import FileIn
from billing_pipeline.orchestration.steps.make_current import Batch
from billing_pipeline.orchestration.steps.owner_feeds import OwnerFeeds
from billing_pipeline.vocabulary.outcome import NotConserved

_FILES_TOGETHER = 500


@dataclass(frozen=True)
class WaitingFile:
    """One registered file that is to be loaded."""

    file_id: int
    tenant_key: str
    feed_key: str
    url: str
    name: str
    size_bytes: int
    landed_at: dt.datetime
    decided_by: str | None


class _Small(NamedTuple):
    """A small file that waits for others of its feed."""

    file: WaitingFile
    copy: ArchivedFile
    framed: FramedFile


class FileReader:
    """Decodes the files of a batch; whatever one of them does, its neighbours are loaded."""

    def __init__(self, feeds: OwnerFeeds, batch: Batch) -> None:
        self._feeds = feeds
        self._batch = batch
        self._small: dict[str, tuple[Feed, list[_Small]]] = {}

    def read(self, file: WaitingFile, copy: ArchivedFile, *, is_name_taken: bool) -> None:
        """Decode one file into the batch, or keep it until `finish` if it is small."""
        with self._held_alone(file):
            landed_on = file.landed_at.date()
            feed = self._feeds.of_file(file.tenant_key, file.feed_key, file.name, landed_on)
            if is_name_taken and file.decided_by is None:
                _hold_other_content(feed, file.name)
            self._note_number(feed, file, copy)
            is_small = file.size_bytes <= MOST_BYTES and is_decoded_together(feed)
            framed = _framed(feed, file, copy) if is_small else None
            if framed is None:
                self._decode_alone(feed, file, copy)
            else:
                self._keep_small(feed, _Small(file, copy, framed))

    def finish(self) -> None:
        """Decode the small files that are left."""
        for feed, group in self._small.values():
            self._decode_small(feed, group)
        self._small = {}

    def _note_number(self, feed: Feed, file: WaitingFile, copy: ArchivedFile) -> None:
        if feed.checks.sequence.number is not None:
            with _opened(feed, file, copy) as stream:
                number = number_in_file(feed, stream)
            if number is not None:
                self._batch.numbers[file.file_id] = number

    def _keep_small(self, feed: Feed, small: _Small) -> None:
        _, group = self._small.setdefault(feed.model_dump_json(), (feed, []))
        group.append(small)
        if len(group) == _FILES_TOGETHER:
            self._decode_small(feed, group)
            group.clear()

    def _decode_small(self, feed: Feed, group: list[_Small]) -> None:
        """Decode together; if that fails, one by one, to find out which file fails."""
        if not group:
            return
        try:
            together = decode_together(feed, [small.framed for small in group])
        except (OSError, *STORAGE_FAULTS):
            raise
        except Exception:  # noqa: BLE001 - one file must never stop the others
            for small in group:
                with self._held_alone(small.file):
                    self._decode_alone(feed, small.file, small.copy)
            return
        taken = []
        for file, copy, framed in group:
            if (refusal := together.refused.get(copy.file_key)) is not None:
                self._batch.refuse(file.file_id, file.name, refusal.reason, refusal.message)
            else:
                taken.append(FileIn(file.file_id, copy.file_key, framed.records))
        self._batch.parts.add_together(feed, taken, together.outcome)

    def _decode_alone(self, feed: Feed, file: WaitingFile, copy: ArchivedFile) -> None:
        with _opened(feed, file, copy) as stream:
            blocks = decode_blocks(feed, stream, copy.file_key, landed_at=file.landed_at)
            self._batch.parts.add(file.file_id, feed, copy.file_key, one_ahead(blocks))

    @contextmanager
    def _held_alone(self, file: WaitingFile) -> Iterator[None]:
        """Put a file aside that cannot be read; faults of storage are not the file's fault."""
        try:
            yield
        except FileRefused as refusal:
            self._batch.refuse(file.file_id, file.name, refusal.reason, refusal.message)
        except (OSError, NotConserved, *STORAGE_FAULTS):
            raise
        except Exception as error:  # noqa: BLE001 - one file must never stop the others
            message = f"reading it failed with {type(error).__name__}: {error}; please report it"
            self._batch.refuse(file.file_id, file.name, QuarantineReason.READER_FAILED, message)


def _hold_other_content(feed: Feed, name: str) -> None:
    """Raises: FileRefused unless the feed says which file stands."""
    if feed.arrival.same_name == "hold" and feed.snapshot != "supersede":
        raise FileRefused(
            QuarantineReason.NAME_TAKEN,
            f"a file named {name!r} was loaded before with other content; discard it, release it "
            "to load it as well, or have the feed say `arrival: {same_name: replace}`",
        )


def _framed(feed: Feed, file: WaitingFile, copy: ArchivedFile) -> FramedFile | None:
    with _opened(feed, file, copy) as stream:
        return framed_alone(feed, stream, copy.file_key, file.landed_at)


def _opened(feed: Feed, file: WaitingFile, copy: ArchivedFile) -> IO[bytes]:
    return open_usage(copy.archive_path, file.name, feed.match.max_bytes, feed.match.max_ratio)
