"""Files of the lake are what was written; they are read again only when something speaks for it."""

import datetime as dt
import os
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from billing_pipeline.books import manifest
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.keep import KeptFrame, keep_frames
from billing_pipeline.orchestration.steps.verify_lake import verify_parts
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline_tests.books.builders import apply, tenant_rows

pytestmark = pytest.mark.postgres

FIRST_DAY = dt.date(2026, 1, 1)
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
ONE_DAY = dt.timedelta(days=1)
ALL = (FIRST_DAY, dt.date(2026, 6, 1))
NONE = (dt.date(2026, 6, 1), dt.date(2026, 6, 2))


@pytest.fixture
def installation(tmp_path: Path, engine: sa.Engine, database_url: str) -> Installation:
    """Forty days with a file each."""
    apply(engine, tenant_rows())
    installation = installation_below(tmp_path, database_url)
    with tenant_scope(engine, "acme") as connection:
        for number in range(40):
            day = FIRST_DAY + number * ONE_DAY
            kept = KeptFrame("rated_usage", "acme", pl.DataFrame({"number": [number]}))
            (part,) = keep_frames(installation.lake, [kept], day)
            manifest.replace_partition(connection, part.frame, day, "acme", part.chunks)
    return installation


def faults(
    installation: Installation, days: tuple[dt.date, dt.date] = ALL, now: dt.datetime = NOON
) -> list[tuple[dt.date, str]]:
    found = verify_parts(installation, "acme", *days, now)
    return found.drop_nulls("fault").select("partition_day", "fault").rows()


def read_at(installation: Installation) -> list[dt.datetime]:
    """When the files that were read were read last, oldest first."""
    with installation.engine.connect() as connection:
        found = connection.exec_driver_sql("select verified_at from lake_verifications order by 1")
        return list(found.scalars())


def part_of(installation: Installation, day: dt.date) -> Path:
    folder = Path(installation.lake.url) / "rated_usage" / "tenant=acme" / f"day={day}"
    (part,) = folder.iterdir()
    return part


def turn_a_bit(part: Path) -> None:
    """Change the content and nothing else that a listing shows."""
    before = part.stat()
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    os.utime(part, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (part.stat().st_size, part.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_what_was_verified_and_looks_the_same_is_not_read_again(installation: Installation) -> None:
    assert faults(installation) == []
    assert read_at(installation) == [NOON] * 40

    assert faults(installation, now=NOON + ONE_DAY) == []
    assert read_at(installation) == [NOON] * 40


def test_a_change_of_equal_size_with_the_time_set_back_is_found_at_once(
    installation: Installation,
) -> None:
    faults(installation)
    turn_a_bit(part_of(installation, FIRST_DAY))

    assert faults(installation, now=NOON + ONE_DAY) == [(FIRST_DAY, "changed")]
    assert faults(installation, now=NOON + 2 * ONE_DAY) == [(FIRST_DAY, "changed")]


def test_a_change_that_no_stamp_shows_is_found_within_a_month(installation: Installation) -> None:
    turn_a_bit(part_of(installation, FIRST_DAY))
    faults(installation)
    with installation.engine.begin() as connection:
        # As if the disk had turned the bit after the file was verified.
        connection.exec_driver_sql("update lake_verifications set fault = null")

    assert faults(installation, now=NOON + ONE_DAY) == []
    assert faults(installation, now=NOON + 32 * ONE_DAY) == [(FIRST_DAY, "changed")]


def test_reading_again_is_spread_over_the_days(installation: Installation) -> None:
    faults(installation)

    for day in range(1, 32):
        faults(installation, now=NOON + day * ONE_DAY)

    read = read_at(installation)
    assert read[0] > NOON
    assert max(read.count(moment) for moment in read) <= 10


def test_a_lost_file_is_missing_until_it_is_back(installation: Installation) -> None:
    part = part_of(installation, FIRST_DAY)
    content = part.read_bytes()
    part.unlink()
    assert faults(installation) == [(FIRST_DAY, "missing")]

    part.write_bytes(content)

    assert faults(installation) == []


def test_older_days_are_looked_at_in_turn_and_faulty_ones_every_time(
    installation: Installation,
) -> None:
    turn_a_bit(part_of(installation, FIRST_DAY))
    runs = [faults(installation, NONE, NOON + day * ONE_DAY) for day in range(45)]

    # Two of forty a run: within 40 runs each was looked at, and what was found is found again.
    first = runs.index([(FIRST_DAY, "changed")])
    assert first < 40
    assert all(found == [(FIRST_DAY, "changed")] for found in runs[first:])
    assert len(read_at(installation)) == 40


def test_what_is_known_of_a_file_is_forgotten_when_another_takes_its_place(
    installation: Installation,
) -> None:
    assert faults(installation) == []
    kept = KeptFrame("rated_usage", "acme", pl.DataFrame({"number": [99]}))
    (part,) = keep_frames(installation.lake, [kept], FIRST_DAY)
    with tenant_scope(installation.engine, "acme") as connection:
        manifest.replace_partition(connection, part.frame, FIRST_DAY, "acme", part.chunks)

    assert faults(installation) == []

    assert len(read_at(installation)) == 40
