"""Frames as a spreadsheet for finance: one sheet a frame, figures as figures, text as text."""

import datetime as dt
from collections.abc import Mapping

import polars as pl

from billing_pipeline.vocabulary.workbook import workbook_bytes

_STARTS_A_FORMULA = r"^[=+\-@\t\r]"


def workbook(sheets: Mapping[str, pl.DataFrame], created_at: dt.datetime) -> bytes:
    """An .xlsx file. Text that a spreadsheet would run as a formula gets an apostrophe before it.

    A cell of text never runs by itself, but does once the sheet is saved as CSV.
    Raises: TooManyRows with the name of the frame.
    """
    text = pl.col(pl.String).str.replace(f"({_STARTS_A_FORMULA})", "'${1}")
    shown = {name: frame.with_columns(text) for name, frame in sheets.items()}
    return workbook_bytes(shown, created_at)
