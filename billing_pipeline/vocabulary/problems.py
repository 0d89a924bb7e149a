"""Mistakes people can mend: what is wrong, where, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

ROW = "row"
"""Column that holds the row of the file a frame's row was read from; the header is row 1."""

MOST_SHOWN = 20
"""A mistake repeated down a whole column is shown this often, then counted."""


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


def problems_in(
    frame: pl.DataFrame, file: str, field: str, is_wrong: pl.Expr, message: pl.Expr
) -> list[Problem]:
    """One problem for each row that is wrong; after MOST_SHOWN the rest is counted in one.

    Shape: `frame` has a ROW column; `is_wrong` and `message` are row by row, null is not wrong.
    """
    wrong = frame.filter(is_wrong.fill_null(value=False))
    if wrong.is_empty():
        return []
    shown = wrong.select(ROW, message.alias("message")).head(MOST_SHOWN)
    problems = [
        Problem(file, row, field, text)
        for row, text in zip(shown[ROW].to_list(), shown["message"].to_list(), strict=True)
    ]
    more = wrong.height - shown.height
    if more:
        problems.append(Problem(file, None, field, f"the same mistake in {more} more row(s)"))
    return problems
