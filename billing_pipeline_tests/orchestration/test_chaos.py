"""Kill the program and its Postgres at random moments, fill its disk: equal books come out."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.books.checks import failing_checks
from billing_pipeline.books.embedded import stop_embedded
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.extracts import read_extracts
from billing_pipeline.orchestration.installation import Installation

pytestmark = [pytest.mark.slow, pytest.mark.dagster, pytest.mark.postgres, pytest.mark.pdf]

SCENARIOS = Path(__file__).parents[1] / "scenarios"
STORIES = ("a_parent_pays_for_150_numbers", "two_brands_on_one_feed")
CHECKOUT = str(Path(__file__).parents[2])
KILLS = 3
PATIENCE_S = 600
CLOCK = ("issued_at", "landed_at", "loaded_at", "posted_at")
"""Columns that tell when the program ran; all others are functions of the facts."""


@contextmanager
def empty_home() -> Iterator[Path]:
    """A home below a folder the embedded server may enter, its server stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix="billing-chaos-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        try:
            yield home
        finally:
            with suppress(Exception):
                stop_embedded(home / "postgres")


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four tenants of two stories in one folder."""
    folder = tmp_path_factory.mktemp("stories")
    for story in STORIES:
        for tenant in sorted((SCENARIOS / story / "given").iterdir()):
            shutil.copytree(tenant, folder / tenant.name)
    return folder


@pytest.fixture(scope="module")
def undisturbed(stories: Path) -> dict[str, pl.DataFrame]:
    """What an installation holds that nobody disturbed."""
    with empty_home() as home:
        run_to_the_end(home, stories)
        return held(home)


def start(home: Path, stories: Path, **environment: str) -> "subprocess.Popen[bytes]":
    own = {name: text for name, text in os.environ.items() if name != "DAGSTER_HOME"}
    module = "billing_pipeline_tests.orchestration.run_until_done"
    with (home / "run.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, str(stories)],
            cwd=CHECKOUT,
            env=own | {"BILLING_HOME": str(home)} | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def run_to_the_end(home: Path, stories: Path, **environment: str) -> None:
    code = start(home, stories, **environment).wait(timeout=PATIENCE_S)
    assert code == 0, (home / "run.log").read_text()[-4000:]


def held(home: Path, **environment: str) -> dict[str, pl.DataFrame]:
    """All rows of lake and books but for the clock's columns, and the names of the documents.

    A document's name holds the hash of its bytes.
    """
    installation = Installation.from_environment({"BILLING_HOME": str(home)} | environment)
    with installation_scope(installation.engine) as connection:
        assert failing_checks(connection) == {}
    rows = {
        extract.name: extract.rows.drop(CLOCK, strict=False).sort(pl.all())
        for extract in read_extracts(installation)
    }
    installation.engine.dispose()
    pdfs = sorted(path.name for path in Path(installation.documents_url).rglob("*.pdf"))
    return rows | {"documents": pl.DataFrame({"name": pdfs})}


def assert_same(found: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame]) -> None:
    assert expected["invoices"].height > 1
    assert expected["documents"].height == expected["invoices"].height
    for name, rows in expected.items():
        assert found[name].equals(rows), name


def kill_program(process: "subprocess.Popen[bytes]", home: Path) -> None:
    """The program and its workers are gone at once; Postgres stays."""
    del home
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def kill_postgres(process: "subprocess.Popen[bytes]", home: Path) -> None:
    """The postmaster is gone at once; the program sees its connections break."""
    del process
    pid_file = home / "postgres" / "postmaster.pid"
    with suppress(FileNotFoundError, ProcessLookupError, ValueError):
        os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGKILL)


def kill_both(process: "subprocess.Popen[bytes]", home: Path) -> None:
    """What a power cut leaves: neither had a moment to tidy up."""
    kill_postgres(process, home)
    kill_program(process, home)


@pytest.mark.parametrize("seed", [1])
def test_kills_at_random_moments_leave_the_books_of_an_undisturbed_run(
    stories: Path, undisturbed: dict[str, pl.DataFrame], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the moments of death are to be repeatable
    with empty_home() as home:
        for _ in range(KILLS):
            process = start(home, stories)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=chance.uniform(6, 30))
            chance.choice([kill_program, kill_postgres, kill_both])(process, home)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=60)
            kill_program(process, home)
            process.wait()
        time.sleep(1)
        run_to_the_end(home, stories)

        assert_same(held(home), undisturbed)


@contextmanager
def small_disk(at: Path) -> Iterator[Path]:
    """A file system of its own with a few megabytes, nearly full."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0755", "tmpfs", str(at)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        filler = at / "filler"
        filler.write_bytes(bytes(8 * 1024 * 1024 - 40 * 1024))
        yield filler
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def test_a_full_disk_stops_the_run_and_room_lets_it_finish(
    stories: Path, undisturbed: dict[str, pl.DataFrame]
) -> None:
    with empty_home() as home, tempfile.TemporaryDirectory() as disk:
        at = Path(disk)
        where = {
            "BILLING_LAKE_URL": str(at / "lake"),
            "BILLING_DOCUMENTS_URL": str(at / "documents"),
        }
        with small_disk(at) as filler:
            stopped = start(home, stories, **where).wait(timeout=PATIENCE_S)
            told = (home / "run.log").read_text()
            filler.unlink()
            run_to_the_end(home, stories, **where)
            found = held(home, **where)

    assert stopped != 0
    assert "No space left on device" in told
    assert_same(found, undisturbed)
