"""The UI and the daemon as people start them, and a start after a crash."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from billing_pipeline.books import due, files
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.definitions import defs
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.instance import fail_abandoned_runs

pytestmark = [pytest.mark.dagster, pytest.mark.postgres]

STORY = Path(__file__).parents[1] / "scenarios" / "twenty_dollars_plus_hundred_minutes" / "given"
CHECKOUT = Path(__file__).parents[2]
BILLING = [sys.executable, "-c", "from billing_pipeline.cli import main; main()"]
PATIENCE_S = 240

_EVERYTHING_LOADED = """{
  repositoriesOrError {
    ... on RepositoryConnection { nodes {
      assetNodes { assetKey { path } isPartitioned hasAssetChecks description }
      sensors { name sensorState { status } } schedules { name scheduleState { status } }
    } }
    ... on PythonError { message }
  }
}"""


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    """An empty home and empty books, as after an installation."""
    own = {name: text for name, text in os.environ.items() if name != "DAGSTER_HOME"}
    return own | {
        "BILLING_HOME": str(tmp_path),
        "BILLING_DATABASE_URL": database_url,
        "PYTHONPATH": str(CHECKOUT),
    }


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def started(environment: dict[str, str], port: int, tmp_path: Path) -> Iterator[int]:
    """Port of a running `billing dev` with the story's tenant applied and its usage landed."""
    subprocess.run([*BILLING, "catalog", "apply", str(STORY)], env=environment, check=True)
    feed = tmp_path / "landing" / "acme" / "calls"
    feed.mkdir(parents=True)
    for upload in (STORY / "acme" / "usage" / "calls").rglob("*.*"):
        shutil.copyfile(upload, feed / upload.name)
    with (tmp_path / "dev.log").open("wb") as log:
        process = subprocess.Popen(
            [*BILLING, "dev", "--port", str(port)],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield port
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=60)


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


def is_rated(installation: Installation) -> bool:
    with installation_scope(installation.engine) as connection:
        loaded = files.read_files(connection, "loaded").height
        stale = due.stale_usage_days(connection).height + due.stale_rating_days(connection).height
    return loaded > 0 and not stale


def asked(port: int) -> dict[str, Any] | None:
    """The UI's own answer about what it has loaded, or None while it is starting."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": _EVERYTHING_LOADED}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
            found: dict[str, Any] = json.load(answer)["data"]
    except OSError:
        return None
    return found


def wait_until(is_done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_done():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(2)
