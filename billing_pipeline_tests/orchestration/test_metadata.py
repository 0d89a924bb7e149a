import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.orchestration.metadata import amount, table


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


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        pytest.param("12.5000000000", "EUR", "12.50 EUR", id="cents"),
        pytest.param("0.0031250000", "EUR", "0.003125 EUR", id="parts of cents"),
        pytest.param("1200", "JPY", "1200 JPY", id="no cents"),
        pytest.param("0E-10", "USD", "0.00 USD", id="nothing"),
    ],
)
def test_an_amount_is_shown_exactly_and_no_longer_than_it_is(
    value: str, currency: str, shown: str
) -> None:
    assert amount("rated", Decimal(value), currency)["rated"].value == shown
