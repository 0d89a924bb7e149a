"""What a deck says and a card cannot hold: never dropped without a word."""

import polars as pl

from billing_pipeline.catalog.deck_layouts import FileLayout
from billing_pipeline.vocabulary.problems import ROW, Problem

_NOTHING = r"^[0.,]*$"


def untaken(cells: pl.DataFrame, layout: FileLayout, file: str) -> list[Problem]:
    """One remark per column that says something in any row which a card cannot hold."""
    found = []
    for column, words in layout.not_taken.items():
        if column in cells.columns:
            text = pl.col(column).fill_null("").str.strip_chars()
            says = ~text.str.contains(_NOTHING) & ~text.is_in(words)
            found += _remark(cells.filter(says), column, "is not taken over", file)
    for column, other in layout.must_equal.items():
        if column in cells.columns and other in cells.columns:
            differs = cells.filter(pl.col(column).ne_missing(pl.col(other)))
            found += _remark(differs, column, f"differs from {other}, which is taken", file)
    return found


def _remark(rows: pl.DataFrame, column: str, words: str, file: str) -> list[Problem]:
    if rows.is_empty():
        return []
    more = f" (and {rows.height - 1} more rows)" if rows.height > 1 else ""
    message = f"{rows.item(0, column)!r} {words}{more}"
    return [Problem(file, rows.item(0, ROW), column, message)]
