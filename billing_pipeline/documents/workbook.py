"""Frames as a spreadsheet for finance: one sheet a frame, figures as figures, text as text."""

import io
from collections.abc import Mapping

import pandas as pd
import polars as pl

MOST_ROWS = 1_048_575
"""Rows a sheet holds below its header. Source: Excel specifications and limits."""

_STARTS_A_FORMULA = r"^[=+\-@\t\r]"


class TooManyRows(Exception):
    """A frame is longer than a sheet; take the CSV or Parquet instead."""


def workbook(sheets: Mapping[str, pl.DataFrame]) -> bytes:
    """An .xlsx file. Text that a spreadsheet would run as a formula gets an apostrophe before it.

    Instants are written as UTC without zone, which spreadsheets do not know.
    Raises: TooManyRows with the name of the frame.
    """
    for name, frame in sheets.items():
        if frame.height > MOST_ROWS:
            raise TooManyRows(f"{name} has {frame.height} rows; a sheet holds {MOST_ROWS}")
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        for name, frame in sheets.items():
            shown = frame.with_columns(
                pl.col(pl.String).str.replace(f"({_STARTS_A_FORMULA})", "'${1}"),
                pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None),
            )
            columns = shown.to_dict(as_series=False)
            pd.DataFrame(columns).to_excel(writer, sheet_name=name[:31], index=False)
    return buffer.getvalue()
