"""Remove files of a partition's folder that its current version does not name."""

from collections.abc import Collection

import fsspec

from billing_pipeline.lake.store import Lake


def keep_only(lake: Lake, folder: str, paths: Collection[str]) -> int:
    """Remove every file below a folder but the named ones; return how many went.

    Only for partitions nobody computes any more: a part being written has no name in the books.
    """
    filesystem, root = fsspec.core.url_to_fs(lake.url)
    place = f"{root.rstrip('/')}/{folder}"
    filesystem.invalidate_cache()
    if not filesystem.exists(place):
        return 0
    kept = {f"{root.rstrip('/')}/{path}" for path in paths}
    gone = [path for path in filesystem.find(place) if path not in kept]
    for path in gone:
        filesystem.rm_file(path)
    return len(gone)
