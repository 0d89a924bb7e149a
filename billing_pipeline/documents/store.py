"""Where finished documents lie: a folder or an object store, each file named by its content."""

import hashlib
import re
from dataclasses import dataclass

import fsspec

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_DIGEST_DIGITS = 16


@dataclass(frozen=True)
class StoredDocument:
    """A file in the store: where it lies, and what the books remember of it."""

    path: str
    sha256: str
    size_bytes: int


class StoredDocumentDiffers(Exception):
    """A file of the store is not what was put there."""


def put_document(
    base_url: str, tenant_key: str, name: str, suffix: str, content: bytes
) -> StoredDocument:
    """Store a document under its tenant, its name and the hash of its content.

    The same content lands on the same path, so storing it twice writes once; other content of
    the same name never replaces it. `suffix` is the file type, e.g. `pdf`.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    file_name = f"{_plain(name)}-{sha256[:_DIGEST_DIGITS]}.{suffix}"
    path = f"{base_url.rstrip('/')}/{_plain(tenant_key)}/{file_name}"
    files, location = fsspec.core.url_to_fs(path)
    if not files.exists(location):
        files.makedirs(location.rpartition("/")[0], exist_ok=True)
        _write_whole(files, location, content)
    return StoredDocument(path=path, sha256=sha256, size_bytes=len(content))


def get_document(stored: StoredDocument) -> bytes:
    """Read a stored document back. Raises: StoredDocumentDiffers if a byte has changed."""
    files, location = fsspec.core.url_to_fs(stored.path)
    content: bytes = files.cat_file(location)
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise StoredDocumentDiffers(f"{stored.path} is not what was stored there")
    return content


def remove_document(path: str) -> None:
    """Remove a document; one that is gone already is no fault."""
    files, location = fsspec.core.url_to_fs(path)
    if files.exists(location):
        files.rm_file(location)


def _write_whole(files: fsspec.AbstractFileSystem, location: str, content: bytes) -> None:
    """Write beside, then move: nobody ever reads half a document."""
    beside = f"{location}.part"
    files.pipe_file(beside, content)
    files.mv(beside, location)


def _plain(name: str) -> str:
    """A name without anything that means something to a file system."""
    return _UNSAFE.sub("_", name).strip(".") or "_"
