"""Rows to bytes of CSV, as asked for."""

import polars as pl


def csv_bytes(rows: pl.DataFrame, *, separator: str = ",", encoding: str = "utf-8") -> bytes:
    """A header and one line per row, CRLF; nulls are empty.

    Characters the encoding lacks become question marks.
    """
    text = rows.write_csv(separator=separator, line_terminator="\r\n")
    return text.encode(encoding, errors="replace")
