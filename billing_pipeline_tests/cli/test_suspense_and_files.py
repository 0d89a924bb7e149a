"""`billing suspense` and `billing files`, as a person at a terminal uses them."""

import datetime as dt
import os
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from billing_pipeline.cli import billing
from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.configure import apply_folders
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.load import Loader
from billing_pipeline.orchestration.steps.register import register_landed_files
from billing_pipeline.orchestration.steps.stale import compute_stale_days

pytestmark = pytest.mark.postgres

STORY = Path(__file__).parents[1] / "scenarios" / "an_unknown_number_is_found" / "given"
NOON = dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC)
BAD = "=HYPERLINK(1),18005550100,tomorrow,60\n"


def run(*words: str) -> str:
    done = CliRunner().invoke(billing, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def load(installation: Installation, name: str, text: str) -> None:
    landed = installation.home / "landing" / "acme" / "calls" / name
    landed.parent.mkdir(parents=True, exist_ok=True)
    landed.write_text(text)
    os.utime(landed, (NOON.timestamp(), NOON.timestamp()))
    register_landed_files(installation, NOON + dt.timedelta(hours=1), NOON.date())
    Loader(installation, NOON).load_landing_day(NOON.date())


@pytest.fixture
def january(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Ten calls of a number that nobody owns, and one record that cannot be read."""
    monkeypatch.setenv("BILLING_HOME", str(tmp_path))
    monkeypatch.setenv("BILLING_DATABASE_URL", database_url)
    installation = Installation.from_environment()
    applied = read_tenant_folder(STORY / "acme")
    apply_folders(installation, [applied], applied_at=NOON, applied_by="test")
    (given,) = (STORY / "acme" / "usage").rglob("*.csv")
    load(installation, given.name, given.read_text() + BAD)
    compute_stale_days(installation, NOON)
    return installation


@pytest.mark.usefixtures("january")
def test_suspense_is_listed_shown_exported_and_written_off(tmp_path: Path) -> None:
    listed = run("suspense", "list")
    assert "unknown_identifier" in listed
    assert "invalid_time" in listed
    age = (utc_now() - NOON).days
    assert f"{age} d" in listed
    assert "18005550100" in run("suspense", "list", "--by", "identifier")
    shown = run("suspense", "show", "--reason", "invalid_time")
    assert "calls_january.csv record 11" in shown
    assert BAD.strip() in shown

    run("suspense", "export", str(tmp_path / "out.csv"))
    exported = pl.read_csv(tmp_path / "out.csv", infer_schema=False)
    assert exported.height == 11
    assert f"'{BAD.strip()}" in exported["raw"].to_list()
    run("suspense", "export", str(tmp_path / "out.parquet"))
    assert BAD.strip() in pl.read_parquet(tmp_path / "out.parquet")["raw"].to_list()

    refused = CliRunner().invoke(billing, ["suspense", "write-off", "--note", "why"])
    assert "say which records" in refused.output
    gone = run("suspense", "write-off", "--reason", "invalid_time", "--note", "a test", "--yes")
    assert gone.startswith("wrote off 1 records")
    assert "invalid_time" not in run("suspense", "list")
    assert "a test" in run("suspense", "show", "--state", "written_off")
    again = run("suspense", "recycle", "--identifier", "18005550100", "--by", "ann")
    assert again == "10 records were in suspense, 10 still are\n"


def test_files_are_listed_shown_and_reloaded(january: Installation) -> None:
    listed = run("files", "list")
    assert listed.startswith("1 loaded\n")
    shown = run("files", "show", "1")
    assert "11 records, 10 accepted, 1 suspended" in shown
    assert "2026-01-12: 10 records" in shown

    again = run("files", "reload", "acme", "2026-02-01", "--note", "once more", "--by", "ann")

    assert again == "1 files, 11 records: 10 accepted, 1 suspended, 0 filtered\n"
    assert "no number is missing" in run("feed", "gaps")
    refused = CliRunner().invoke(billing, ["files", "release", "1", "--note", "why"])
    assert "is loaded, not empty or quarantined" in str(refused.exception)

    for name in ("calls_2.csv", "calls_3.csv"):
        load(january, name, f"call_id,number\n1,{name}\n")
    assert run("files", "list").startswith("1 loaded, 2 quarantined\n")
    run("files", "release", "2", "--note", "the provider confirmed it", "--by", "ann")
    run("files", "discard", "3", "--note", "a test file", "--by", "ann")
    assert run("files", "list").startswith("1 discarded, 1 landed, 1 loaded\n")
