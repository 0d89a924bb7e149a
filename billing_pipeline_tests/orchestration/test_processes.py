"""The UI and the daemon as people start them, and a start after a crash."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from billing_pipeline.definitions import defs
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.instance import (
    STORAGE_VARIABLE,
    fail_abandoned_runs,
    open_instance,
)
from billing_pipeline_tests.orchestration.running import (
    BILLING,
    apply_story,
    asked,
    environment_of,
    free_port,
    is_rated,
    running,
    usage_of_story,
    wait_until,
)

pytestmark = [pytest.mark.dagster, pytest.mark.postgres]


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    return environment_of(tmp_path, database_url)


@pytest.fixture
def started(environment: dict[str, str], tmp_path: Path) -> Iterator[int]:
    """Port of a running `billing dev` with the story's tenant applied and its usage landed."""
    apply_story(environment)
    feed = tmp_path / "landing" / "acme" / "calls"
    feed.mkdir(parents=True)
    for upload in usage_of_story():
        shutil.copyfile(upload, feed / upload.name)
    port = free_port()
    with running([*BILLING, "dev", "--port", str(port)], environment, tmp_path / "dev.log"):
        yield port


@pytest.mark.slow
def test_the_daemon_takes_an_upload_to_rated_usage_and_the_ui_shows_the_house(
    started: int, environment: dict[str, str]
) -> None:
    installation = Installation.from_environment(environment)

    wait_until(lambda: asked(started) is not None, "the UI to answer")
    shown = asked(started)
    wait_until(lambda: is_rated(installation), "the daemon to load, mediate and rate the upload")

    assert shown is not None
    (repository,) = shown["repositoriesOrError"]["nodes"]
    assets = {node["assetKey"]["path"][-1]: node for node in repository["assetNodes"]}
    assert set(assets) >= {"raw_usage", "rated_usage", "invoices", "accounting_handoff"}
    assert all(node["isPartitioned"] and node["description"] for node in assets.values())
    assert assets["invoices"]["hasAssetChecks"]
    states = {one["name"]: one["sensorState"]["status"] for one in repository["sensors"]} | {
        one["name"]: one["scheduleState"]["status"] for one in repository["schedules"]
    }
    assert states["usage_uploads"] == states["daily_bill_runs"] == "RUNNING"


def test_a_start_after_a_crash_fails_the_runs_that_were_going_on() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        job = defs.resolve_job_def("load_usage")
        crashed = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        waiting = instance.create_run_for_job(job, status=dg.DagsterRunStatus.NOT_STARTED)

        failed = fail_abandoned_runs(instance)

        assert failed == 1
        assert status(instance, crashed) is dg.DagsterRunStatus.FAILURE
        assert status(instance, waiting) is dg.DagsterRunStatus.NOT_STARTED


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_a_storage_that_a_killed_first_start_left_half_made_is_made_anew(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv(STORAGE_VARIABLE, "")
    installation = Installation.from_environment(environment)
    with installation.engine.begin() as connection:
        connection.execute(sa.text("create schema dagster"))
        connection.execute(sa.text("create table dagster.event_logs (id bigint)"))

    for _ in range(2):
        with open_instance(installation) as instance:
            assert instance.get_runs() == []
            instance.add_dynamic_partitions("tenant", ["acme"])

    with open_instance(installation) as instance:
        assert list(instance.get_dynamic_partitions("tenant")) == ["acme"]
