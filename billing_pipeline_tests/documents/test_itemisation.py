import csv
import io

import polars as pl
import pytest

from billing_pipeline.documents.itemisation import itemisation_csv
from billing_pipeline_tests.documents.builders import usage


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"))))


def test_every_event_is_one_row_with_exact_figures() -> None:
    [row] = rows(itemisation_csv(usage(1)))

    assert row["started_at"] == "2026-02-01T07:00:00Z"
    assert (row["quantity"], row["unit_price"], row["amount"]) == ("30", "0.015", "0.0075")


def test_what_a_call_cost_us_is_not_in_it() -> None:
    [row] = rows(itemisation_csv(usage(1)))

    assert not {"cost_amount", "cost_prefix"} & row.keys()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_runs_no_formula_from_it(start: str) -> None:
    evil = f'{start}HYPERLINK("http://x";"y")'
    frame = usage(1).with_columns(destination=pl.lit(evil))

    [row] = rows(itemisation_csv(frame))

    assert row["destination"] == "'" + evil


def test_no_usage_is_a_header() -> None:
    assert itemisation_csv(usage(1).head(0)).count(b"\n") == 1
