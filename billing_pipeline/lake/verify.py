"""Whether parts are still what was written: their names are digests of their content."""

import fsspec

from billing_pipeline.lake.store import Lake, content_name_of

MISSING = "missing"
CHANGED = "changed"

# `created` is when the inode last changed: a file whose time was set back shows there.
_STAMPS = ("size", "mtime", "created", "ino", "ETag", "LastModified")


def stamps_of(lake: Lake, path: str) -> str | None:
    """What its storage says of a part without reading it; None if it is not there."""
    filesystem, target = fsspec.core.url_to_fs(lake.locate(path))
    if not filesystem.exists(target):
        return None
    known = filesystem.info(target)
    return " ".join(f"{name}={known[name]}" for name in _STAMPS if known.get(name) is not None)


def is_as_written(lake: Lake, path: str) -> bool:
    """Whether the content of a part that is there has the digest its name says; reads it whole."""
    filesystem, target = fsspec.core.url_to_fs(lake.locate(path))
    with filesystem.open(target, "rb") as part:
        return content_name_of(part) == path.rsplit("part-", 1)[-1].removesuffix(".parquet")
