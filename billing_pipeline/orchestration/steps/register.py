"""Register what lies in the landing zone. Registered once, whatever happens afterwards."""

import datetime as dt

import polars as pl

from billing_pipeline.books import files
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


def register_landed_files(
    installation: Installation, now: dt.datetime, landing_day: dt.date | None = None
) -> int:
    """Register every complete upload as landed today (UTC), or on a given day.

    Uploads stand at `<landing zone>/<tenant>/<feed>/<file>`; others are left alone.
    """
    uploads = [
        row
        for upload in list_uploads(installation.landing_url, now)
        if (row := _row(upload, now)) is not None
    ]
    frame = pl.DataFrame(uploads, schema=_UPLOADS, orient="row")
    with installation_scope(installation.engine) as connection:
        return files.register_uploads(connection, frame, landing_day or now.date())


def _row(upload: Upload, now: dt.datetime) -> tuple[object, ...] | None:
    parts = upload.path.split("/")
    if len(parts) != _DEPTH:
        return None
    tenant_key, feed_key, name = parts
    landed_at = upload.modified_at or now
    return (tenant_key, feed_key, upload.url, name, upload.size, upload.etag, landed_at)
