"""Whether parts are still what was written: their names are digests of their content."""

from collections.abc import Sequence

import fsspec

from billing_pipeline.lake.store import Lake, content_name_of

MISSING = "missing"
CHANGED = "changed"


def faults(lake: Lake, paths: Sequence[str]) -> list[str | None]:
    """What is wrong with each part: `missing`, `changed`, or None."""
    return [_fault(lake, path) for path in paths]


def _fault(lake: Lake, path: str) -> str | None:
    filesystem, target = fsspec.core.url_to_fs(lake.locate(path))
    if not filesystem.exists(target):
        return MISSING
    named = path.rsplit("part-", 1)[-1].removesuffix(".parquet")
    with filesystem.open(target, "rb") as part:
        return None if content_name_of(part) == named else CHANGED
