"""Landing zones: which uploads lie there and are complete, in a folder or an object store."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import fsspec

STABLE_FOR = dt.timedelta(seconds=5)
"""A file must lie unchanged for so long before it is taken."""

UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")


@dataclass(frozen=True, order=True)
class Upload:
    """One file in a landing zone. `path` is below the landing zone: tenant/feed/name."""

    path: str
    url: str
    name: str
    size: int
    etag: str
    modified_at: dt.datetime

    @property
    def tenant_key(self) -> str:
        """Owner of the feed; empty if the file lies too high up."""
        return self._folder(0)

    @property
    def feed_key(self) -> str:
        """Feed the file was put to; empty if the file lies too high up."""
        return self._folder(1)

    def _folder(self, level: int) -> str:
        folders = self.path.split("/")[:-1]
        return folders[level] if level < len(folders) else ""


def list_uploads(url: str, now: dt.datetime, stable_for: dt.timedelta = STABLE_FOR) -> list[Upload]:
    """Complete uploads of a landing zone, oldest path order first.

    Unfinished names (.tmp, .part, hidden files) and files that changed less than `stable_for`
    ago are left for later; links are never followed out of the zone.
    """
    return [upload for upload in _listed(url) if is_complete(upload, now, stable_for)]


def pending_uploads(
    url: str, now: dt.datetime, stable_for: dt.timedelta = STABLE_FOR
) -> list[Upload]:
    """Uploads that are not complete yet, for people who ask what is being waited for."""
    return [upload for upload in _listed(url) if not is_complete(upload, now, stable_for)]


def is_complete(upload: Upload, now: dt.datetime, stable_for: dt.timedelta) -> bool:
    """Whether an upload has a final name and has been left alone long enough."""
    name = upload.name.lower()
    is_hidden = any(part.startswith(".") for part in upload.path.split("/"))
    is_unfinished = name.endswith(UNFINISHED_SUFFIXES)
    return not (is_hidden or is_unfinished) and now - upload.modified_at >= stable_for


def _listed(url: str) -> list[Upload]:
    filesystem, root = fsspec.core.url_to_fs(url)
    root = root.rstrip("/")
    if not filesystem.exists(root):
        return []
    filesystem.invalidate_cache()
    found = filesystem.find(root, detail=True)
    return sorted(
        _upload(filesystem, root, info)
        for info in found.values()
        if info["type"] == "file" and not info.get("islink", False)
    )


def _upload(filesystem: Any, root: str, info: dict[str, Any]) -> Upload:  # noqa: ANN401 - untyped library
    full = str(info["name"])
    modified_at = _modified_at(info)
    size = int(info["size"] or 0)
    etag = str(info.get("ETag") or info.get("etag") or f"{size}-{modified_at.timestamp()}")
    return Upload(
        path=full[len(root) :].lstrip("/"),
        url=filesystem.unstrip_protocol(full),
        name=full.rsplit("/", 1)[-1],
        size=size,
        etag=etag.strip('"'),
        modified_at=modified_at,
    )


def _modified_at(info: dict[str, Any]) -> dt.datetime:
    given = info.get("LastModified", info.get("mtime", info.get("created")))
    if isinstance(given, dt.datetime):
        return given if given.tzinfo else given.replace(tzinfo=dt.UTC)
    return dt.datetime.fromtimestamp(given or 0, tz=dt.UTC)
