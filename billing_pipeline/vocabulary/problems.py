"""Mistakes people can mend: what is wrong, where, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a file: `row` counts as people count, the header is row 1."""

    file: str
    row: int | None
    field: str | None
    message: str

    def __str__(self) -> str:
        """One line for people: file, row, field, message."""
        row = f" row {self.row}" if self.row is not None else ""
        field = f" field {self.field}" if self.field else ""
        return f"{self.file}{row}{field}: {self.message}"


class ConfigurationRefused(Exception):
    """Configuration with mistakes; nothing of it was applied."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=str))
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} mistake(s), nothing was applied:\n{lines}")
