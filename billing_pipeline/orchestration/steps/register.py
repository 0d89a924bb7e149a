"""Register what lies in the landing zone. Registered once, whatever happens afterwards."""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from billing_pipeline.books import catalog, files
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.intake.landing import Upload, list_uploads
from billing_pipeline.orchestration.installation import Installation

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
    where they are and are named, everything else is registered all the same.
    """
    uploads = [
        row
        for upload in list_uploads(installation.landing_url, now)
        if (row := _row(upload, now)) is not None
    ]
    frame = pl.DataFrame(uploads, schema=_UPLOADS, orient="row")
    with installation_scope(installation.engine) as connection:
        is_known = pl.col("tenant_key").is_in(catalog.tenant_keys(connection))
        new = files.register_uploads(connection, frame.filter(is_known), landing_day or now.date())
    unknown = frame.filter(~is_known)["tenant_key"].unique().sort().to_list()
    return Registered(new, unknown)


def _row(upload: Upload, now: dt.datetime) -> tuple[object, ...] | None:
    parts = upload.path.split("/")
    if len(parts) != _DEPTH:
        return None
    tenant_key, feed_key, name = parts
    landed_at = upload.modified_at or now
    return (tenant_key, feed_key, upload.url, name, upload.size, upload.etag, landed_at)
