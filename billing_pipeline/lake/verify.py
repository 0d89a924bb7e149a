"""Whether parts are still what was written: their names are digests of their content."""

from collections.abc import Sequence
from functools import lru_cache

import fsspec

from billing_pipeline.lake.store import Lake, content_name_of

MISSING = "missing"
CHANGED = "changed"

# `created` is when the inode last changed: a file whose time was set back shows there.
_STAMPS = ("size", "mtime", "created", "ino", "ETag", "LastModified")
_MOST_KNOWN = 100_000


def faults(lake: Lake, paths: Sequence[str]) -> list[str | None]:
    """What is wrong with each part: `missing`, `changed`, or None."""
    return [_fault(lake, path) for path in paths]


def _fault(lake: Lake, path: str) -> str | None:
    filesystem, target = fsspec.core.url_to_fs(lake.locate(path))
    if not filesystem.exists(target):
        return MISSING
    named = path.rsplit("part-", 1)[-1].removesuffix(".parquet")
    known = filesystem.info(target)
    stamp = tuple(str(known.get(name)) for name in _STAMPS)
    return None if _content_name(lake.locate(path), stamp) == named else CHANGED


@lru_cache(maxsize=_MOST_KNOWN)
def _content_name(address: str, _stamp: tuple[str, ...]) -> str:
    """The digest of a part's content, worked out again when its file looks touched."""
    filesystem, target = fsspec.core.url_to_fs(address)
    with filesystem.open(target, "rb") as part:
        return content_name_of(part)
