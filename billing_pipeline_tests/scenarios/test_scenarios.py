"""Stories from usage files to books: `<story>/given` is simulated, `<story>/expected` compared.

`story.md` tells what happens and works the figures by hand; its line `Through:` is the last bill
day. Of an expected file only the columns it has are compared, as a set of rows.
"""

import datetime as dt
import re
from pathlib import Path
from typing import cast

import polars as pl
import pytest

from billing_pipeline.orchestration.simulate import simulate
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline_tests.accounting.bean_check import PROGRAM, complaints

STORIES = sorted(path.parent for path in Path(__file__).parent.glob("*/story.md"))

_TRAILING_ZEROS = r"^(-?[0-9]+)(?:\.0+|(\.[0-9]*[1-9])0*)$"


@pytest.mark.scenario
@pytest.mark.postgres
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_ends_in_the_books_it_tells(story: Path, database_url: str, tmp_path: Path) -> None:
    installation = installation_below(tmp_path, database_url)

    summary = simulate(installation, story / "given", last_bill_day(story), tmp_path / "out")

    for expected in sorted((story / "expected").glob("*.csv")):
        columns, rows = table(expected)
        assert rows_of(tmp_path / "out" / expected.name, columns) == rows, expected.name
    assert summary["journal_sum_minor"] == 0
    if PROGRAM.exists():
        assert complaints(installation, tmp_path) == {}
    assert summary["failing_checks"] == []
    said = list(map(str, cast("list[object]", summary["findings"])))
    assert [line for line in said if line.startswith("block")] == []
    if (told := story / "expected" / "findings.txt").exists():
        assert said == told.read_text(encoding="utf-8").splitlines()


def test_every_story_expects_something() -> None:
    assert [story.name for story in STORIES if not any((story / "expected").glob("*.csv"))] == []


def last_bill_day(story: Path) -> dt.date:
    through = re.search(r"^Through: (\d{4}-\d{2}-\d{2})$", _text(story), flags=re.MULTILINE)
    assert through, f"{story.name}/story.md has no line `Through: <date>`"
    return dt.date.fromisoformat(through[1])


def table(path: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    columns = pl.read_csv(path, infer_schema=False).columns
    return columns, rows_of(path, columns)


def rows_of(path: Path, columns: list[str]) -> list[tuple[str, ...]]:
    """The rows of some columns in order, numbers without trailing zeros."""
    read = pl.read_csv(path, infer_schema=False).select(
        pl.col(columns).fill_null("").str.replace(_TRAILING_ZEROS, "$1$2")
    )
    return sorted(read.rows())


def _text(story: Path) -> str:
    return (story / "story.md").read_text(encoding="utf-8")
