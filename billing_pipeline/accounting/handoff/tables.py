"""Rows to bytes: CSV as asked for, and workbooks that come out the same every time."""

import datetime as dt
import io
import re
import zipfile

import pandas as pd
import polars as pl

_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(<)")


def csv_bytes(rows: pl.DataFrame, *, separator: str = ",", encoding: str = "utf-8") -> bytes:
    """A header and one line per row, CRLF; nulls are empty.

    Characters the encoding lacks become question marks.
    """
    text = rows.write_csv(separator=separator, line_terminator="\r\n")
    return text.encode(encoding, errors="replace")


def workbook_bytes(sheet_name: str, rows: pl.DataFrame, created_at: dt.datetime) -> bytes:
    """A workbook with one sheet: a header, one row each.

    The writer stamps the clock on the file and every member; both are set to `created_at`, so
    equal rows give equal bytes.
    """
    written = io.BytesIO()
    frame = pd.DataFrame(rows.to_dict(as_series=False))
    frame.to_excel(written, sheet_name=sheet_name, index=False, engine="openpyxl")
    stamp = created_at.astimezone(dt.UTC)
    shown = f"{stamp:%Y-%m-%dT%H:%M:%SZ}".encode()
    steady = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(steady, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            if member == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + shown + rb"\g<3>", content)
            info = zipfile.ZipInfo(member, stamp.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, content)
    return steady.getvalue()
