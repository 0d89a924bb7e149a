"""The register of files for people: choose, show, release, discard."""

from collections.abc import Iterator, Sequence

import polars as pl

from billing_pipeline.books import audit, files
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.installation import Installation

_FIGURES = ("records", "accepted", "suspended", "filtered", "quantity")


def chosen_files(
    installation: Installation,
    tenant_key: str | None,
    feed_key: str | None,
    states: Sequence[str],
) -> pl.DataFrame:
    """USAGE_FILES of an owner, a feed, some states; None or nothing is all."""
    with installation_scope(installation.engine) as connection:
        every = files.read_files(connection, *states)
    wanted = {"tenant_key": tenant_key, "feed_key": feed_key}
    conditions = [pl.col(name) == value for name, value in wanted.items() if value is not None]
    return every.filter(*conditions) if conditions else every


def file_story(installation: Installation, file_id: int) -> Iterator[str]:
    """Lines of text about one file.

    Raises: LookupError if no such file is registered.
    """
    with installation_scope(installation.engine) as connection:
        found = files.read_files(connection).filter(pl.col("file_id") == file_id)
        days = files.file_days(connection, file_id)
        log = audit.read_audit_log(connection)
    if found.is_empty():
        raise LookupError(f"no usage file {file_id} is registered; see `billing files list`")
    row = found.row(0, named=True)
    yield f"{row['tenant_key']}/{row['feed_key']}/{row['name']}  {row['state']}"
    yield f"  landed {row['landed_at']:%Y-%m-%d %H:%M:%S}Z, {row['size_bytes']} bytes"
    yield f"  at {row['url']}"
    if row["archive_path"]:
        yield f"  archived untouched as {row['archive_path']}"
    elif row["records"] is not None:
        yield "  its usage is masked; the original is removed"
    if row["records"] is not None:
        yield "  " + ", ".join(f"{row[name]} {name}" for name in _FIGURES)
    for day, records in days.select("usage_day", "records").rows():
        yield f"  {day}: {records} records"
    if row["message"]:
        yield f"  {row['reason']}: {row['message']}"
    decided = log.filter(pl.col("subject") == f"usage file {row['name']}")
    for at, actor, action, note in decided.select("logged_at", "actor", "action", "note").rows():
        yield f"  {action} by {actor} {at:%Y-%m-%d %H:%M}: {note}"


def release_files(
    installation: Installation, file_ids: Sequence[int], *, by: str, note: str
) -> None:
    """Let refused files be loaded: all of them or none."""
    with installation_scope(installation.engine) as connection:
        for file_id in file_ids:
            files.release_file(connection, file_id, released_by=by, note=note)


def discard_files(
    installation: Installation, file_ids: Sequence[int], *, by: str, note: str
) -> None:
    """Give refused files up: all of them or none."""
    with installation_scope(installation.engine) as connection:
        for file_id in file_ids:
            files.discard_file(connection, file_id, discarded_by=by, note=note)
