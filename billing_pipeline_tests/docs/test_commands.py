"""Every command the README and the guides show is run, in order, on an installation of the demo."""

import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import chdir, suppress
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from billing_pipeline.books import handoff, summary
from billing_pipeline.books.checks import failing_checks
from billing_pipeline.books.embedded import stop_embedded
from billing_pipeline.books.findings import read_findings
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.cli import billing
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import catch_up
from billing_pipeline_tests.accounting.bean_check import complaints, needs_bean_check
from billing_pipeline_tests.docs.test_guides import write_files

CHECKOUT = Path(__file__).parents[2]
GUIDES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^ *```console\n(.*?)^ *```$", flags=re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"^ *(?:\$ |\.venv/bin/)?(billing .*)$")
ELSEWHERE = {
    "billing bills approve": "the demo has no day that waits; run in orchestration/test_bills",
    "billing bills reject": "the same",
    "billing files release": "the demo has no file in quarantine; cli/test_suspense_and_files",
    "billing files discard": "the same",
    "billing dev": "runs until it is stopped; started for real in test_processes",
    "billing demo": "is how this installation is made",
    "billing template preview .billing/demo/tenants/northlink --watch": "runs until it is stopped; "
    "started for real in documents/test_preview",
}


class Command(NamedTuple):
    guide: str
    text: str


def commands() -> list[Command]:
    """The commands of all guides as they stand there, without those that are run elsewhere."""
    found = []
    for guide in GUIDES:
        for block in BLOCK.findall(guide.read_text(encoding="utf-8")):
            for line in block.splitlines():
                shown = PROMPT.match(line)
                if shown and not shown[1].startswith(tuple(ELSEWHERE)):
                    found.append(Command(guide.name, shown[1].split("  #")[0].strip()))
    return found


@pytest.fixture
def demo() -> Iterator[Path]:
    """A directory in which a small `billing demo` was run."""
    with (
        tempfile.TemporaryDirectory(prefix="billing-guides-") as folder,
        pytest.MonkeyPatch.context() as patch,
        chdir(folder),
    ):
        directory = Path(folder)
        directory.chmod(0o755)
        for name in [name for name in os.environ if name.startswith(("BILLING_", "DAGSTER_"))]:
            patch.delenv(name)
        patch.setenv("PYTHONPATH", str(CHECKOUT))
        made = run("billing demo run --events 600")
        assert made.exit_code == 0, made.output
        yield directory
        with suppress(Exception):
            stop_embedded(directory / ".billing" / "postgres")


def run(command: str) -> Result:
    return CliRunner().invoke(billing, shlex.split(command)[1:], input="y\n")


def test_the_guides_show_commands() -> None:
    shown = commands()

    assert len(shown) > 30
    assert {command.guide for command in shown} >= {"README.md", "operate.md"}


@needs_bean_check
@pytest.mark.slow
@pytest.mark.dagster
@pytest.mark.postgres
@pytest.mark.pdf
def test_the_books_of_the_demo_are_accepted_and_every_command_shown_works_on_it(
    demo: Path, tmp_path: Path
) -> None:
    books_are_accepted(Installation.from_environment(), tmp_path)
    for path in GUIDES:
        write_files(path.name, demo)
    (demo / "billing_pipeline_tests").symlink_to(CHECKOUT / "billing_pipeline_tests")
    failed = []
    for guide, of_guide in groupby(commands(), lambda command: command.guide):
        # Between two guides the daemon would have worked off what the first one left.
        catch_up(Installation.from_environment(), utc_now())
        for _, text in of_guide:
            done = run(text)
            if done.exit_code:
                failed.append(f"{guide}: {text}\n{done.output[-800:]}{done.exception!r}")

    assert failed == [], "\n\n".join(failed)


def books_are_accepted(installation: Installation, folder: Path) -> None:
    """Other people's checker accepts the books, and all of the journal was handed off."""
    assert complaints(installation, folder) == {}
    with installation_scope(installation.engine) as connection:
        assert failing_checks(connection) == {}
        found = read_findings(connection, "open")
        booked = summary.journal_summary(connection)
        batches = handoff.read_batches(connection)
    assert "block" not in found["severity"].to_list()
    assert booked["debits_minor"].to_list() == booked["credits_minor"].to_list()
    assert set(batches["tenant_key"]) == set(booked["tenant_key"])
    assert batches["exported_at"].null_count() == 0
