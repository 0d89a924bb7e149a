"""Compare the lake's files with what was written, and read no more of them than that takes."""

import datetime as dt
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import polars as pl

from billing_pipeline.assurance.schema import LAKE_PARTS
from billing_pipeline.books import verified
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.lake import verify
from billing_pipeline.lake.store import Lake
from billing_pipeline.orchestration.installation import Installation

# Stamps show who touched a file, not a disk that forgets: a file is read again after 16 to 31
# days, by its name, so that files verified on one day do not come back on one day.
_TRUSTED_DAYS, _SPREAD_DAYS = 16, 16
_FOUND = pl.Schema({"path": pl.String, "stamps": pl.String, "fault": pl.String})


class _Part(NamedTuple):
    """A row of PARTS_TO_VERIFY."""

    frame: str
    partition_day: dt.date
    path: str
    rows: int
    stamps: str | None
    fault: str | None
    verified_at: dt.datetime | None

    def is_trusted(self, stamps: str | None, now: dt.datetime) -> bool:
        """Whether it was as written, not long ago, and looks as it did then."""
        if self.verified_at is None or self.fault is not None or stamps != self.stamps:
            return False
        return now < self.verified_at + dt.timedelta(days=_trusted_days(self.path))


def verify_parts(
    installation: Installation,
    tenant_key: str,
    from_day: dt.date,
    until_day: dt.date,
    now: dt.datetime,
) -> pl.DataFrame:
    """LAKE_PARTS: a tenant's current files of some days and a share of its older ones."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        parts = verified.parts_to_verify(connection, tenant_key, from_day, until_day)
    found = pl.DataFrame(
        list(_read_anew(installation.lake, map(_Part._make, parts.rows()), now)),
        schema=_FOUND,
        orient="row",
    )
    with tenant_scope(installation.engine, tenant_key) as connection:
        verified.keep_verified(connection, tenant_key, found, verified_at=now)
    faults = found.select("path", "fault")
    judged = parts.drop("fault").join(faults, on="path", how="left", maintain_order="left")
    return LAKE_PARTS.conform(judged)


def _read_anew(
    lake: Lake, parts: Iterable[_Part], now: dt.datetime
) -> Iterator[tuple[str, str | None, str | None]]:
    """Path, stamps and fault of the parts that are not trusted as they look."""
    for part in parts:
        # Stamps before content: whoever writes between the two is seen the next time.
        stamps = verify.stamps_of(lake, part.path)
        if stamps is None:
            yield part.path, None, verify.MISSING
        elif not part.is_trusted(stamps, now):
            is_right = verify.is_as_written(lake, part.path)
            yield part.path, stamps, None if is_right else verify.CHANGED


def _trusted_days(path: str) -> int:
    return _TRUSTED_DAYS + zlib.crc32(path.encode()) % _SPREAD_DAYS
