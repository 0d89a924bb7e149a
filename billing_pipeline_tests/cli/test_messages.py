"""What people see when something is wrong: one clear message, exit status 1, nothing half-done."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
STORY = HOUSE / "billing_pipeline_tests/scenarios/twenty_dollars_plus_hundred_minutes/given/acme"


def billing(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from billing_pipeline.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=HOUSE,
        env={**os.environ, **environment},
    )


def test_help_answers_without_loading_the_engines() -> None:
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, billing_pipeline.cli; print({'dagster', 'polars'} & set(sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=HOUSE,
    )

    assert loaded.stdout.strip() == "set()"


def test_an_unreachable_database_is_one_message() -> None:
    refused = billing("db", "migrate", BILLING_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")

    assert refused.returncode == 1
    assert "127.0.0.1:1/x cannot be reached" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        pytest.param(
            "tenant.yaml", "key: acme", "key: acme\ncolour: red", "colour", id="unknown key"
        ),
        pytest.param("plans.yaml", "currency: USD", "", "say in which currency", id="no currency"),
    ],
)
def test_bad_configuration_is_refused_by_file_and_field_before_any_database(
    tmp_path: Path, file: str, old: str, new: str, words: str
) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    for source in (path for path in STORY.rglob("*") if path.is_file()):
        target = folder / source.relative_to(STORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))

    refused = billing(
        "catalog", "apply", str(folder), BILLING_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x"
    )

    assert refused.returncode == 1
    assert file in refused.stderr
    assert words in refused.stderr
    assert "nothing was applied" in refused.stderr
