"""A running installation as people start it: `billing dev`, and what it answers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from billing_pipeline.books import due, files
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.installation import Installation

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


def environment_of(home: Path, database_url: str) -> dict[str, str]:
    """An empty home and empty books, as after an installation."""
    own = {name: text for name, text in os.environ.items() if name != "DAGSTER_HOME"}
    return own | {
        "BILLING_HOME": str(home),
        "BILLING_DATABASE_URL": database_url,
        "PYTHONPATH": str(CHECKOUT),
    }


def apply_story(environment: dict[str, str], tenants: Path = STORY) -> None:
    subprocess.run([*BILLING, "catalog", "apply", str(tenants)], env=environment, check=True)


def usage_of_story() -> list[Path]:
    return sorted((STORY / "acme" / "usage" / "calls").rglob("*.*"))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """A process group that is interrupted at the end, its output in a file."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=60)


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
