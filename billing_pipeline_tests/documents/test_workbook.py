import datetime as dt
import io
from decimal import Decimal

import pandas as pd
import polars as pl
import pytest

from billing_pipeline.documents.workbook import workbook
from billing_pipeline.vocabulary import workbook as workbook_module
from billing_pipeline.vocabulary.workbook import TooManyRows

WRITTEN_AT = dt.datetime(2026, 10, 2, tzinfo=dt.UTC)


def test_finance_reads_back_what_was_written() -> None:
    frame = pl.DataFrame(
        {
            "invoice": ["INV-1", None],
            "amount": [Decimal("12.34"), Decimal("-0.05")],
            "paid": [True, False],
            "day": [dt.date(2026, 10, 1), None],
            "at": [dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC), None],
        },
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    )

    sheets = pd.read_excel(
        io.BytesIO(workbook({"lines": frame, "R & D": frame.clear()}, WRITTEN_AT)), sheet_name=None
    )

    assert list(sheets) == ["lines", "R & D"]
    assert sheets["lines"]["amount"].tolist() == [12.34, -0.05]
    assert sheets["lines"]["invoice"].tolist()[0] == "INV-1"
    assert sheets["lines"]["paid"].tolist() == [True, False]
    assert sheets["lines"]["day"].tolist()[0] == pd.Timestamp("2026-10-01")
    assert sheets["lines"]["at"].tolist()[0] == pd.Timestamp("2026-10-01 12:00")


@pytest.mark.parametrize("text", ["=1+1", "+44", "-1", "@SUM(A1)", "\tx"])
def test_text_never_runs_as_a_formula(text: str) -> None:
    written = workbook({"s": pl.DataFrame({"t": [text]})}, WRITTEN_AT)

    assert pd.read_excel(io.BytesIO(written))["t"].tolist() == ["'" + text]


def test_a_text_is_cut_at_what_a_cell_holds() -> None:
    written = workbook({"s": pl.DataFrame({"t": ["&" * 40_000]})}, WRITTEN_AT)

    assert pd.read_excel(io.BytesIO(written))["t"].tolist() == ["&" * 32_767]


def test_a_frame_longer_than_a_sheet_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_module, "MOST_ROWS", 1)

    with pytest.raises(TooManyRows, match="lines has 2 rows"):
        workbook({"lines": pl.DataFrame({"n": [1, 2]})}, WRITTEN_AT)
