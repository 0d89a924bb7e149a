"""The table of rules and stories in README.md names every rule, and stories that are there."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RULES = range(24, 33)


def index() -> dict[int, list[str]]:
    """Stories of each rule, as the table has them."""
    rows = re.findall(
        r"^\| (\d+) \|[^|]*\|([^|]*)\|$", (HERE / "README.md").read_text(), re.MULTILINE
    )
    return {int(rule): stories.strip().split(", ") for rule, stories in rows}


def test_every_rule_of_periods_and_charges_has_a_story() -> None:
    assert list(index()) == list(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_the_stories_of_a_rule_are_there(rule: int) -> None:
    missing = [story for story in index()[rule] if not (HERE / story / "story.md").is_file()]

    assert missing == []
