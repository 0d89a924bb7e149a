"""Register what lies in the landing zone. Registered once, whatever happens afterwards."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from billing_pipeline.books import catalog, files
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.catalog.feed_arrival import Arrival
from billing_pipeline.intake.arrival import Waiting, arrived, not_arrived
from billing_pipeline.intake.landing import Upload, list_uploads, pending_uploads
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.owner_feeds import OwnerFeeds

_UPLOADS = pl.Schema(
    {
        "tenant_key": pl.String(),
        "feed_key": pl.String(),
        "url": pl.String(),
        "name": pl.String(),
        "size_bytes": pl.Int64(),
        "etag": pl.String(),
        "landed_at": pl.Datetime("us", "UTC"),
    }
)
_DEPTH = 3
Folders = dict[tuple[str, str], list[Upload]]


@dataclass(frozen=True)
class Registered:
    """How many uploads are new, and folders of the landing zone that belong to no tenant."""

    new: int
    unknown_folders: list[str]


def register_landed_files(
    installation: Installation, now: dt.datetime, landing_day: dt.date | None = None
) -> Registered:
    """Register every complete upload as landed today (UTC), or on a given day.

    Uploads stand at `<landing zone>/<tenant>/<feed>/<file>`; files in folders of no tenant stay
    where they are and are named, everything else is registered all the same. When an upload is
    complete is said by its feed; of what is registered already nothing is asked again.
    """
    folders = _folders(list_uploads(installation.landing_url, now))
    with installation_scope(installation.engine) as connection:
        known = set(catalog.tenant_keys(connection))
        listed = [upload for (owner, _), own in folders.items() if owner in known for upload in own]
        new = files.unregistered_uploads(connection, _frame(listed))
    complete = _frame(_complete(installation, folders, new, now))
    with installation_scope(installation.engine) as connection:
        registered = files.register_uploads(connection, complete, landing_day or now.date())
    return Registered(registered, sorted({owner for owner, _ in folders} - known))


def awaited_uploads(installation: Installation, now: dt.datetime) -> list[Waiting]:
    """Uploads that are not taken yet, and what each waits for."""
    young = [
        Waiting(upload, "a final name, and a moment without a change")
        for upload in pending_uploads(installation.landing_url, now)
    ]
    feeds = OwnerFeeds(installation)
    folders = _folders(list_uploads(installation.landing_url, now))
    with installation_scope(installation.engine) as connection:
        known = set(catalog.tenant_keys(connection))
        listed = [upload for (owner, _), own in folders.items() if owner in known for upload in own]
        new = set(files.unregistered_uploads(connection, _frame(listed))["url"])
    return young + [
        waiting
        for (owner, feed), own in sorted(folders.items())
        if owner in known
        for waiting in not_arrived(own, _arrival(feeds, owner, feed), now)
        if waiting.upload.url in new
    ]


def _folders(uploads: list[Upload]) -> Folders:
    """Uploads by owner and feed; files that lie higher or deeper belong to no feed."""
    folders: Folders = defaultdict(list)
    for upload in uploads:
        if upload.path.count("/") == _DEPTH - 1:
            folders[upload.tenant_key, upload.feed_key].append(upload)
    return dict(folders)


def _complete(
    installation: Installation, folders: Folders, new: pl.DataFrame, now: dt.datetime
) -> Iterator[Upload]:
    """New uploads that are complete by the rules of their feed."""
    feeds = OwnerFeeds(installation)
    urls = set(new["url"])
    for owner, feed in new.select("tenant_key", "feed_key").unique(maintain_order=True).rows():
        for upload in arrived(folders[owner, feed], _arrival(feeds, owner, feed), now):
            if upload.url in urls:
                yield upload


def _arrival(feeds: OwnerFeeds, owner: str, feed_key: str) -> Arrival:
    """The rules of a feed; files of a feed that is not there are taken, and then refused."""
    feed = feeds.named(owner, feed_key)
    return Arrival() if feed is None else feed.arrival


def _frame(uploads: list[Upload] | Iterator[Upload]) -> pl.DataFrame:
    rows = [
        (
            upload.tenant_key,
            upload.feed_key,
            upload.url,
            upload.name,
            upload.size,
            upload.etag,
            upload.modified_at,
        )
        for upload in uploads
    ]
    return pl.DataFrame(rows, schema=_UPLOADS, orient="row")
