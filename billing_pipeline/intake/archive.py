"""The archive: every upload kept untouched under the hash of its content, opened with limits."""

import bz2
import errno
import gzip
import hashlib
import io
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

import fsspec

try:
    from backports import zstd
except ImportError:  # an optional extra
    zstd = None  # type: ignore[assignment]

from billing_pipeline.intake.landing import Upload
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason

CHUNK = 1024 * 1024
DEFAULT_MAX_BYTES = 20 * 1024**3
DEFAULT_MAX_RATIO = 1000
_ALWAYS_ALLOWED = 16 * 1024 * 1024  # a small file may compress as well as it likes
_KEY_LENGTH = 32
_LARGEST_WINDOW = 27  # a power of two: 128 MiB, what zstd --long needs


@dataclass(frozen=True)
class ArchivedFile:
    """One file of the archive; `file_key` is the hash of its bytes as they were uploaded."""

    file_key: str
    name: str
    size: int
    archive_path: str


class UploadChanged(Exception):
    """The upload changed while it was read; it is taken up again when it is stable."""


class UploadMissing(Exception):
    """The upload is no longer where it was listed."""


def archive_upload(upload: Upload, archive_url: str) -> ArchivedFile:
    """Copy an upload to the archive, streaming, and name it by the hash of its content.

    The same content is stored once, whatever its name. Nothing half-written is ever visible.
    Raises: UploadChanged if the size is not what was listed, UploadMissing if it is gone.
    """
    digest = hashlib.sha256()
    size = 0
    with tempfile.TemporaryFile() as spool:
        with _opened(upload) as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                spool.write(chunk)
                size += len(chunk)
        if size != upload.size:
            raise UploadChanged(
                f"{upload.path}: {upload.size} bytes were listed, {size} read: it was still being "
                "written; what it is now has been or will be registered anew, so discard this one"
            )
        file_key = digest.hexdigest()[:_KEY_LENGTH]
        filesystem, root = fsspec.core.url_to_fs(archive_url)
        path = f"{root.rstrip('/')}/{file_key[:2]}/{file_key}"
        spool.seek(0)
        _store(filesystem, path, cast("IO[bytes]", spool))
    return ArchivedFile(file_key, upload.name, size, filesystem.unstrip_protocol(path))


def _opened(upload: Upload) -> IO[bytes]:
    try:
        return cast("IO[bytes]", fsspec.open(upload.url, "rb").open())
    except FileNotFoundError:
        raise UploadMissing(
            f"{upload.path} is no longer in the landing zone; put it back and release it, or "
            "discard it"
        ) from None


def _store(filesystem: Any, path: str, content: IO[bytes]) -> None:  # noqa: ANN401 - untyped library
    if filesystem.exists(path):
        return
    filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    unfinished = f"{path}.part"
    with filesystem.open(unfinished, "wb") as target:
        shutil.copyfileobj(content, target, CHUNK)
    filesystem.mv(unfinished, path)


def remove_original(url: str) -> None:
    """Remove a file of the archive or the landing zone; one that is gone already is no fault."""
    filesystem, path = fsspec.core.url_to_fs(url)
    if filesystem.exists(path):
        filesystem.rm_file(path)


def open_usage(
    archive_path: str,
    name: str,
    max_bytes: int = DEFAULT_MAX_BYTES,
    max_ratio: int = DEFAULT_MAX_RATIO,
) -> IO[bytes]:
    """The decompressed content of an archived file as a stream, within limits.

    Compression is told by content, not by name. gzip may have several members; a zip must hold
    exactly one plain file, whose name is never used as a path.
    Raises: FileRefused while reading if the file is corrupt, encrypted, nested or a bomb.
    """
    raw = cast("IO[bytes]", fsspec.open(archive_path, "rb").open())
    try:
        head = raw.read(4)
        limit = min(max_bytes, max(_ALWAYS_ALLOWED, _size(raw) * max_ratio))
        content = _Limited(_decompressed(raw, head, name), raw, limit)
    except BaseException:
        raw.close()
        raise
    return io.BufferedReader(content, CHUNK)


def _size(raw: IO[bytes]) -> int:
    size = raw.seek(0, io.SEEK_END)
    raw.seek(0)
    return size


def _decompressed(raw: IO[bytes], head: bytes, name: str) -> IO[bytes]:
    if head[:2] == b"\x1f\x8b":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if head[:3] == b"BZh":
        return cast("IO[bytes]", bz2.BZ2File(raw))
    if head == b"\x28\xb5\x2f\xfd":
        return _zstd(raw)
    if head == b"PK\x03\x04" and not name.lower().endswith(".xlsx"):
        return _zip_member(raw)
    if head == b"PK\x05\x06":
        raise FileRefused(QuarantineReason.UNSAFE_ARCHIVE, "the zip archive is empty")
    lower = name.lower()
    if lower.endswith((".gz", ".bz2", ".zip", ".zst")) and head:
        raise FileRefused(
            QuarantineReason.CORRUPT_ARCHIVE, f"the name says compressed, the content {head!r} not"
        )
    return raw


def _zstd(raw: IO[bytes]) -> IO[bytes]:
    if zstd is None:
        message = "the file is compressed with zstd; install billing-pipeline[zstd]"
        raise FileRefused(QuarantineReason.READER_MISSING, message)
    options = {int(zstd.DecompressionParameter.window_log_max): _LARGEST_WINDOW}
    return cast("IO[bytes]", zstd.ZstdFile(raw, options=options))


def _zip_member(raw: IO[bytes]) -> IO[bytes]:
    with _damage_named("zip: "):
        archive = zipfile.ZipFile(raw)
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise FileRefused(
            QuarantineReason.UNSAFE_ARCHIVE, f"the zip archive holds {len(members)} files, not one"
        )
    member = members[0]
    if member.flag_bits & 0x1:
        raise FileRefused(QuarantineReason.ENCRYPTED_ARCHIVE, "the zip archive is encrypted")
    if member.filename.lower().endswith((".zip", ".gz", ".bz2", ".tar", ".7z")):
        raise FileRefused(QuarantineReason.UNSAFE_ARCHIVE, "an archive inside the zip archive")
    with _damage_named("zip: "):
        return archive.open(member)


_CORRUPT = (
    *(EOFError, OSError, ValueError, NotImplementedError, RuntimeError),
    *(zlib.error, lzma.LZMAError, struct.error, zipfile.BadZipFile),
    *([zstd.ZstdError] if zstd else []),
)
"""What readers of damaged archives raise: places before the file, methods there are not."""


@contextmanager
def _damage_named(where: str = "") -> Iterator[None]:
    """Refuse the file for what its content makes a reader say; faults of the storage pass."""
    try:
        yield
    except _CORRUPT as error:
        if _is_of_storage(error):
            raise
        raise FileRefused(QuarantineReason.CORRUPT_ARCHIVE, f"{where}{error}") from error


def _is_of_storage(error: BaseException) -> bool:
    """Whether the same read may succeed another time, as it never does on damaged content."""
    if isinstance(error, (TimeoutError, ConnectionError)):
        return True
    # Readers raise their own words without a number, or seek to a place there cannot be.
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


class _Limited(io.RawIOBase):
    """A stream that refuses to give more than its limit, and names what is corrupt."""

    def __init__(self, source: IO[bytes], raw: IO[bytes], limit: int) -> None:
        super().__init__()
        self.source = source
        self.raw_file = raw
        self.limit = limit
        self.given = 0

    def close(self) -> None:
        """Close the archive and the file below it."""
        if not self.closed:
            self.source.close()
            self.raw_file.close()
        super().close()

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        """Fill a buffer. Raises: FileRefused beyond the limit or where the content is corrupt."""
        with _damage_named():
            chunk = self.source.read(len(buffer))
        self.given += len(chunk)
        if self.given > self.limit:
            raise FileRefused(
                QuarantineReason.DECOMPRESSION_LIMIT,
                f"more than {self.limit} bytes come out of it: a bomb, or raise the feed's limits",
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)
