"""Usage files through registering and loading: complete, held, replaced, reloaded, proven."""

import datetime as dt
import os
import shutil
import time
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.books import audit, conservation, due, files, manifest
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline.lake import layout
from billing_pipeline.lake.store import Lake
from billing_pipeline.mediation.schema import SET_ASIDE, SUSPENSE, USAGE_EVENTS
from billing_pipeline.orchestration.configure import apply_folders
from billing_pipeline.orchestration.file_audit import sequence_gaps
from billing_pipeline.orchestration.file_register import (
    discard_files,
    file_story,
    release_files,
)
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps import day_pieces
from billing_pipeline.orchestration.steps.load import LoadedDay, Loader, NothingToReload
from billing_pipeline.orchestration.steps.mediate import mediate_owner_day
from billing_pipeline.orchestration.steps.register import awaited_uploads, register_landed_files
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline.vocabulary.outcome import NotConserved

pytestmark = pytest.mark.postgres

STORY = Path(__file__).parents[1] / "scenarios" / "an_unknown_number_is_found" / "given"
NOON = dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC)
TODAY = NOON.date()
USED = dt.date(2026, 1, 12)
HEADER = "call_id,line,started_at,seconds\n"
ONE = "a,18005550100,2026-01-12T15:00:00Z,60\n"
TWO = "b,18005550100,2026-01-12T16:00:00Z,120\n"


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Installation:
    made = installation_below(tmp_path / "home", database_url)
    configure(made, tmp_path, "")
    return made


def configure(
    installation: Installation, tmp_path: Path, more: str, old: str = "", new: str = ""
) -> None:
    """Apply the tenant with more lines, or others, in its feed."""
    folder = tmp_path / "acme"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(STORY / "acme@2026-02-10", folder, ignore=shutil.ignore_patterns("usage"))
    feed = folder / "feeds" / "calls.yaml"
    feed.write_text((feed.read_text() + more).replace(old, new) if old else feed.read_text() + more)
    with installation_scope(installation.engine) as connection:
        changes = audit.read_audit_log(connection).height
    at = NOON - dt.timedelta(days=30) + dt.timedelta(seconds=changes)
    apply_folders(installation, [read_tenant_folder(folder)], applied_at=at, applied_by="test")


def land(installation: Installation, name: str, text: str, at: dt.datetime = NOON) -> int:
    path = Path(installation.landing_url) / "acme" / "calls" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return register(installation)


def register(installation: Installation) -> int:
    return register_landed_files(installation, NOON + dt.timedelta(hours=1), TODAY).new


def load(installation: Installation) -> LoadedDay:
    return Loader(installation, NOON).load_landing_day(TODAY)


def states(installation: Installation) -> list[tuple[str, str]]:
    with installation_scope(installation.engine) as connection:
        return files.read_files(connection).select("name", "state").rows()


def mediated(installation: Installation) -> tuple[int, int, int]:
    """Records, events and what was set aside as a duplicate or superseded."""
    day = mediate_owner_day(installation, "acme", USED, now=NOON)
    return day.records, day.events, day.duplicates


def test_a_file_waits_for_the_marker_its_feed_asks_for(
    installation: Installation, tmp_path: Path
) -> None:
    configure(installation, tmp_path, "arrival: {marker: .done}\n")

    assert land(installation, "calls_1.csv", HEADER + ONE) == 0
    (waiting,) = awaited_uploads(installation, NOON + dt.timedelta(hours=1))
    assert waiting.what_for == "its marker calls_1.csv.done"
    assert land(installation, "calls_1.csv.done", "") == 1
    assert register(installation) == 0
    assert states(installation) == [("calls_1.csv", "landed")]


def kept(installation: Installation) -> list[list[tuple[object, ...]]]:
    """All rows of the day that mediation keeps in the lake, in any order."""
    frames = {
        layout.MEDIATED_USAGE: USAGE_EVENTS,
        layout.MEDIATE_SUSPENSE: SUSPENSE,
        layout.MEDIATE_SET_ASIDE: SET_ASIDE,
    }
    with installation_scope(installation.engine) as connection:
        paths = {
            frame: manifest.partition_paths(
                connection, frame, "acme", USED, USED + dt.timedelta(days=1)
            )
            for frame in frames
        }
    return [
        sorted(installation.lake.scan(paths[frame]["path"].to_list(), schema).collect().rows())
        for frame, schema in frames.items()
    ]


def test_a_name_that_comes_with_other_content_is_held_until_a_person_decides(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(installation, "calls.csv", HEADER + ONE)
    load(installation)
    land(installation, "calls.csv", HEADER + ONE + TWO, NOON + dt.timedelta(seconds=1))

    held = load(installation)

    assert "was loaded before with other content" in held.quarantined[0]
    release_files(installation, [2], by="ann", note="the switch writes one file")
    assert load(installation).records == 2
    assert states(installation) == [("calls.csv", "loaded"), ("calls.csv", "loaded")]
    assert mediated(installation) == (3, 2, 1)
    story = "\n".join(file_story(installation, 2))
    assert "released by ann" in story
    assert "the switch writes one file" in story

    # A day too large for memory is mediated in pieces, and comes to the same rows.
    whole = kept(installation)
    for limit in ("MOST_WHOLE", "RECORDS_PER_PIECE"):
        monkeypatch.setattr(day_pieces, limit, 1)
    assert mediated(installation) == (3, 2, 1)
    assert kept(installation) == whole
    assert [len(rows) for rows in whole] == [2, 0, 1]


def test_a_discarded_file_is_never_loaded_and_the_archive_keeps_it(
    installation: Installation,
) -> None:
    land(installation, "calls.csv", HEADER + ONE)
    load(installation)
    land(installation, "calls.csv", HEADER + TWO, NOON + dt.timedelta(seconds=1))
    load(installation)

    discard_files(installation, [2], by="ann", note="a test")

    assert load(installation).files == 0
    assert states(installation)[1] == ("calls.csv", "discarded")
    with installation_scope(installation.engine) as connection:
        path = files.read_files(connection)["archive_path"][1]
    assert Path(path.removeprefix("file://")).read_text() == HEADER + TWO


def test_a_name_may_replace_what_it_brought_before(
    installation: Installation, tmp_path: Path
) -> None:
    configure(installation, tmp_path, "arrival: {same_name: replace}\n")
    land(installation, "calls.csv", HEADER + ONE + TWO)
    load(installation)
    assert mediated(installation) == (2, 2, 0)
    land(installation, "calls.csv", HEADER + ONE, NOON + dt.timedelta(seconds=1))

    assert load(installation).replaced_files == 1

    with installation_scope(installation.engine) as connection:
        assert due.stale_usage_days(connection)["usage_day"].to_list() == [USED]
    assert mediated(installation) == (3, 1, 2)
    assert [state for _, state in states(installation)] == ["superseded", "loaded"]

    # What was replaced is delivered once more: it is the latest again, and nothing counts twice.
    land(installation, "calls.csv", HEADER + ONE + TWO, NOON + dt.timedelta(seconds=2))
    again = load(installation)
    assert (again.duplicate_files, again.replaced_files) == (1, 2)
    assert [state for _, state in states(installation)] == ["loaded", "superseded", "duplicate"]
    assert mediated(installation) == (3, 2, 1)


def test_a_landing_day_is_read_anew_after_its_feed_was_mended(
    installation: Installation, tmp_path: Path
) -> None:
    odd = "c,18005550100,2026-01-12T17:00:00Z,1:00\n"
    land(installation, "calls.csv", HEADER + ONE + odd)
    assert load(installation).suspended == 1
    configure(
        installation,
        tmp_path,
        "",
        old="seconds: {type: duration,",
        new="seconds: {type: duration, format: clock,",
    )

    again = Loader(installation, NOON).reload_landing_day(
        "acme", TODAY, by="ann", note="durations are clocks"
    )

    assert (again.records, again.accepted, again.suspended) == (2, 1, 1)
    assert mediated(installation) == (1, 1, 0)
    with installation_scope(installation.engine) as connection:
        rows = conservation.read_conservation(connection, TODAY, TODAY + dt.timedelta(days=1))
        log = audit.read_audit_log(connection).select("actor", "action").rows()
    decoded = rows.filter(pl.col("stage") == "decode")
    assert decoded.select("records_in", "accepted", "suspended").rows() == [(2, 1, 1)]
    assert ("ann", "reloaded") in log


def test_reloading_a_day_without_files_is_refused(installation: Installation) -> None:
    with pytest.raises(NothingToReload, match="no loaded file"):
        Loader(installation, NOON).reload_landing_day("acme", TODAY, by="ann", note="why")


def test_an_upload_that_is_gone_or_grew_stops_nobody(installation: Installation) -> None:
    for name in ("calls_gone.csv", "calls_grew.csv", "calls_good.csv"):
        land(installation, name, HEADER + f"{name},18005550100,2026-01-12T15:00:00Z,60\n")
    zone = Path(installation.landing_url) / "acme" / "calls"
    (zone / "calls_gone.csv").unlink()
    with (zone / "calls_grew.csv").open("a") as grows:
        grows.write(ONE)

    loaded = load(installation)

    assert (loaded.files, loaded.records) == (1, 1)
    with installation_scope(installation.engine) as connection:
        reasons = files.read_files(connection).select("name", "reason").rows()
    assert reasons == [
        ("calls_gone.csv", "upload_missing"),
        ("calls_grew.csv", "upload_changed"),
        ("calls_good.csv", None),
    ]


def test_a_record_lost_on_its_way_into_the_lake_stops_the_batch(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(installation, "calls.csv", HEADER + ONE + TWO)
    write = Lake.write
    monkeypatch.setattr(Lake, "write", lambda lake, rows, to: write(lake, rows.head(1), to))

    with pytest.raises(NotConserved, match="2 records and quantity 180"):
        load(installation)
    monkeypatch.undo()

    assert states(installation) == [("calls.csv", "archived")]
    assert load(installation).records == 2


def test_numbers_that_never_came_are_named(installation: Installation, tmp_path: Path) -> None:
    configure(
        installation,
        tmp_path,
        "",
        old=r"'calls.*\.csv'",
        new=r"'calls_(?P<source>[a-z]+)_(?P<sequence>[0-9]+)\.csv'",
    )
    for name in ("calls_north_1.csv", "calls_north_4.csv", "calls_south_7.csv"):
        land(installation, name, HEADER + name + ",18005550100,2026-01-12T15:00:00Z,60\n")

    assert sequence_gaps(installation, None).rows() == [("acme", "calls", "north", 2, 3, 2)]

    for name in ("calls_north_3.csv", "calls_north_2.csv"):
        land(installation, name, HEADER)
    assert sequence_gaps(installation, "acme").is_empty()


@pytest.mark.slow
def test_ten_thousand_new_files_are_registered_in_seconds(installation: Installation) -> None:
    zone = Path(installation.landing_url) / "acme" / "calls"
    zone.mkdir(parents=True)
    for number in range(10_000):
        path = zone / f"calls_{number}.csv"
        path.touch()
        os.utime(path, (NOON.timestamp(), NOON.timestamp()))

    began = time.perf_counter()
    assert register(installation) == 10_000
    took = time.perf_counter() - began
    assert register(installation) == 0

    assert took < 20
    print(f"10,000 files registered in {took:.1f} s")  # noqa: T201 - the measure is the point


def test_a_number_in_the_header_of_a_file_is_audited_like_one_in_its_name(
    installation: Installation, tmp_path: Path
) -> None:
    configure(
        installation,
        tmp_path,
        "records: {selector: line, types: [{values: [BATCH], action: control}, "
        "{pattern: '[0-9]+', action: usage}]}\nchecks: {sequence: {number: seconds}}\n",
    )
    for number in (7, 10):
        calls = HEADER + f"h{number},BATCH,,{number}\n" + ONE.replace("a,", f"{number},")
        land(installation, f"calls_{'xy'[number % 2]}.csv", calls)
    load(installation)

    assert sequence_gaps(installation, "acme").rows() == [("acme", "calls", "all", 8, 9, 2)]
