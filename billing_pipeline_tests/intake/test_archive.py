"""Landing and archive: what is taken, what is kept, what is refused."""

import bz2
import datetime as dt
import errno
import gzip
import hashlib
import io
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest

from billing_pipeline.intake.archive import UploadChanged, archive_upload, open_usage
from billing_pipeline.intake.landing import Upload, list_uploads, pending_uploads
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def put(path: Path, content: bytes = b"x", age_s: int = 60) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    at = NOW.timestamp() - age_s
    os.utime(path, (at, at))
    return path


def uploads(landing: Path) -> list[Upload]:
    return list_uploads(landing.as_uri(), NOW)


def zipped(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


def read(tmp_path: Path, name: str, content: bytes, **limits: int) -> bytes:
    path = put(tmp_path / "archived", content)
    with open_usage(str(path), name, **limits) as stream:
        return stream.read()


def test_complete_uploads_are_listed_with_tenant_and_feed(tmp_path: Path) -> None:
    put(tmp_path / "acme" / "voip" / "cdr 1.csv", b"abc")

    (upload,) = uploads(tmp_path)

    assert (upload.tenant_key, upload.feed_key, upload.name, upload.size) == (
        "acme",
        "voip",
        "cdr 1.csv",
        3,
    )
    assert upload.modified_at == NOW - dt.timedelta(seconds=60)


@pytest.mark.parametrize("name", ["a.tmp", "a.csv.part", ".a.csv", "A.PART", ".hidden/a.csv"])
def test_unfinished_names_are_left_alone(tmp_path: Path, name: str) -> None:
    put(tmp_path / "acme" / "voip" / name)

    assert uploads(tmp_path) == []
    assert len(pending_uploads(tmp_path.as_uri(), NOW)) == 1


def test_a_file_that_has_just_changed_is_left_for_later(tmp_path: Path) -> None:
    put(tmp_path / "acme" / "voip" / "a.csv", age_s=1)

    assert uploads(tmp_path) == []
    assert list_uploads(tmp_path.as_uri(), NOW, dt.timedelta(0))


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret", b"secret")
    folder = tmp_path / "landing" / "acme" / "voip"
    folder.mkdir(parents=True)
    (folder / "a.csv").symlink_to(secret)

    assert uploads(tmp_path / "landing") == []


def test_a_landing_zone_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert uploads(tmp_path / "nowhere") == []


@pytest.mark.parametrize("name", ["-rf.csv", "a b.csv", "ünï.csv", "A.CSV", "two\nlines.csv"])
def test_odd_names_are_archived_as_they_are(tmp_path: Path, name: str) -> None:
    put(tmp_path / "in" / "acme" / "voip" / name, b"content")

    (upload,) = uploads(tmp_path / "in")
    archived = archive_upload(upload, (tmp_path / "archive").as_uri())

    assert archived.name == name
    with open_usage(archived.archive_path, archived.name) as stream:
        assert stream.read() == b"content"


def test_content_is_stored_once_under_its_hash(tmp_path: Path) -> None:
    put(tmp_path / "in" / "acme" / "voip" / "a.csv", b"same")
    put(tmp_path / "in" / "acme" / "voip" / "b.csv", b"same")

    archived = [
        archive_upload(upload, (tmp_path / "archive").as_uri())
        for upload in uploads(tmp_path / "in")
    ]

    assert {one.file_key for one in archived} == {hashlib.sha256(b"same").hexdigest()[:32]}
    assert len([path for path in (tmp_path / "archive").rglob("*") if path.is_file()]) == 1


def test_an_upload_that_grew_is_not_taken(tmp_path: Path) -> None:
    path = put(tmp_path / "in" / "acme" / "voip" / "a.csv", b"one")
    (upload,) = uploads(tmp_path / "in")
    path.write_bytes(b"one and more")

    with pytest.raises(UploadChanged):
        archive_upload(upload, (tmp_path / "archive").as_uri())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.csv", b"text", id="plain"),
        pytest.param("a.csv.gz", gzip.compress(b"te") + gzip.compress(b"xt"), id="gzip members"),
        pytest.param("a", gzip.compress(b"text"), id="gzip without suffix"),
        pytest.param("a.bz2", bz2.compress(b"text"), id="bz2"),
        pytest.param("a.zip", zipped(("../../etc/passwd", b"text")), id="zip with a hostile name"),
        pytest.param("a.zip", zipped(("folder/", b""), ("folder/a", b"text")), id="zip folder"),
    ],
)
def test_compression_is_told_by_content(tmp_path: Path, name: str, content: bytes) -> None:
    assert read(tmp_path, name, content) == b"text"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param("a.gz", gzip.compress(b"text" * 99)[:-9], "corrupt_archive", id="cut gzip"),
        pytest.param(
            "a.gz", gzip.compress(b"text")[:-8] + b"\0" * 8, "corrupt_archive", id="bad CRC"
        ),
        pytest.param("a.gz", gzip.compress(b"text") + b"junk", "corrupt_archive", id="junk after"),
        pytest.param("a.gz", b"plain text", "corrupt_archive", id="plain text named gz"),
        pytest.param("a.zip", zipped(("a", b"x" * 99))[:-30], "corrupt_archive", id="cut zip"),
        pytest.param("a.zip", zipped(), "unsafe_archive", id="empty zip"),
        pytest.param("a.zip", zipped(("a", b""), ("b", b"")), "unsafe_archive", id="two files"),
        pytest.param("a.zip", zipped(("b.zip", zipped())), "unsafe_archive", id="zip in zip"),
        pytest.param("a.bz2", bz2.compress(b"text" * 99)[:-9], "corrupt_archive", id="cut bz2"),
    ],
)
def test_a_broken_or_unsafe_archive_is_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        read(tmp_path, name, content)

    assert refused.value.reason == reason


class BrokenDisk(io.BytesIO):
    """An archived file whose storage fails behind its first bytes."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 0:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)


def test_a_fault_of_the_storage_is_not_taken_for_a_damaged_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = SimpleNamespace(open=lambda: BrokenDisk(gzip.compress(b"text" * 99)))
    monkeypatch.setattr(fsspec, "open", lambda *_: disk)

    with open_usage("archived", "a.gz") as stream, pytest.raises(OSError, match="Input/output"):
        stream.read()


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped(("a", b"text")))
    central = content.index(b"PK\x01\x02")
    content[6] |= 1
    content[central + 8] |= 1

    with pytest.raises(FileRefused) as refused:
        read(tmp_path, "a.zip", bytes(content))

    assert refused.value.reason is QuarantineReason.ENCRYPTED_ARCHIVE


@pytest.mark.parametrize("kind", ["gz", "zip", "bz2"])
def test_a_bomb_stops_at_the_limit(tmp_path: Path, kind: str) -> None:
    bomb = bytes(40 * 1024 * 1024)
    packed = {
        "gz": gzip.compress(bomb),
        "zip": zipped(("a", bomb)),
        "bz2": bz2.compress(bomb),
    }[kind]

    with pytest.raises(FileRefused) as refused:
        read(tmp_path, f"a.{kind}", packed, max_ratio=100)

    assert refused.value.reason is QuarantineReason.DECOMPRESSION_LIMIT
