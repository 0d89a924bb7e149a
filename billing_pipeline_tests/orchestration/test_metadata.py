import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.orchestration.metadata import table


def test_a_table_shows_every_column_and_keeps_text_in_its_cell() -> None:
    frame = pl.DataFrame(
        {
            "raw": ["a|b\nc", None],
            "value": [Decimal("0.3850000000"), Decimal(20)],
            "at": [dt.datetime(2026, 1, 12, 15, 30, tzinfo=dt.UTC), None],
            **{f"more_{number}": [1, 2] for number in range(9)},
        },
        schema_overrides={"value": pl.Decimal(38, 10)},
    )

    head, _, first, second = str(table(frame).value).splitlines()

    assert head.count("|") == 13
    assert first.startswith(r"| a\|b c | 0.385 | 2026-01-12 15:30 | 1 |")
    assert second.startswith("|  | 20 |  | 2 |")


def test_a_table_says_how_many_rows_it_does_not_show() -> None:
    assert str(table(pl.DataFrame({"n": range(25)})).value).endswith("| 19 |\n\nand 5 more")
    assert table(pl.DataFrame({"n": []})).value == "none"
