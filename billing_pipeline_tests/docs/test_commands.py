"""Every command the README and the guides show is run, in order, on an installation of the demo."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from billing_pipeline.books.embedded import stop_embedded
from billing_pipeline_tests.docs.test_guides import write_files

pytestmark = [pytest.mark.guides, pytest.mark.dagster, pytest.mark.postgres, pytest.mark.pdf]

CHECKOUT = Path(__file__).parents[2]
GUIDES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^ *```console\n(.*?)^ *```$", flags=re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"^ *(?:\$ |\.venv/bin/)?(billing .*)$")
ELSEWHERE = {
    "billing dev": "runs until it is stopped; started for real in test_processes",
    "billing demo": "is how this installation is made",
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
                if shown and shown[1].split("  #")[0].strip() not in ELSEWHERE:
                    found.append(Command(guide.name, shown[1].split("  #")[0].strip()))
    return found


@pytest.fixture(scope="module")
def demo() -> Iterator[Path]:
    """A directory in which `billing demo` was run, `billing` itself on the path."""
    with tempfile.TemporaryDirectory(prefix="billing-guides-") as folder:
        directory = Path(folder)
        directory.chmod(0o755)
        program = directory / "bin" / "billing"
        program.parent.mkdir()
        program.write_text(
            f"#!{sys.executable}\n"
            "from billing_pipeline.cli import main\n"
            'if __name__ == "__main__":\n'
            "    main()\n",
        )
        program.chmod(0o755)
        made = run(directory, "billing demo")
        assert made.returncode == 0, made.stderr
        yield directory
        with suppress(Exception):
            stop_embedded(directory / ".billing" / "postgres")


def run(directory: Path, command: str) -> "subprocess.CompletedProcess[str]":
    outside = ("BILLING_", "DAGSTER_")
    own = {name: text for name, text in os.environ.items() if not name.startswith(outside)}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        env=own
        | {
            "PATH": f"{directory / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONWARNINGS": "ignore",
        },
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_guides_show_commands() -> None:
    shown = commands()

    assert len(shown) > 30
    assert {command.guide for command in shown} >= {"README.md", "operate.md"}


def test_every_command_shown_works_as_it_stands(demo: Path) -> None:
    for path in GUIDES:
        write_files(path.name, demo)
    (demo / "billing_pipeline_tests").symlink_to(CHECKOUT / "billing_pipeline_tests")
    failed = []
    for guide, text in commands():
        done = run(demo, text)
        if done.returncode:
            failed.append(f"{guide}: {text}\n{done.stdout[-400:]}{done.stderr[-800:]}")

    assert failed == [], "\n\n".join(failed)
