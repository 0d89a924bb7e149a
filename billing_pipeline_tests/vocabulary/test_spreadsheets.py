import polars as pl
import pytest

from billing_pipeline.vocabulary.spreadsheets import as_shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@SUM(1)", "'@SUM(1)"),
        ("+cmd", "'+cmd"),
        ("-1+cmd", "'-1+cmd"),
        ("\tx", "'\tx"),
        ("+44 (0)20 7946 0001", "+44 (0)20 7946 0001"),
        ("-12.50", "-12.50"),
        ("London", "London"),
        (None, None),
    ],
)
def test_n25_what_looks_like_a_formula_is_shown_as_text(
    text: str | None, shown: str | None
) -> None:
    frame = pl.DataFrame({"text": [text], "number": [-1]}, schema_overrides={"text": pl.String})

    assert frame.with_columns(as_shown()).rows() == [(shown, -1)]
