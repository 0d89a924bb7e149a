import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.assurance.conservation import (
    conservation_gaps,
    conservation_row,
    missing_days,
)
from billing_pipeline.vocabulary.money import QUANTITY
from billing_pipeline.vocabulary.outcome import Outcome

DAY = dt.date(2026, 1, 31)


def records(*quantities: str | None) -> pl.DataFrame:
    values = [None if quantity is None else Decimal(quantity) for quantity in quantities]
    return pl.DataFrame({"quantity": values}, schema={"quantity": QUANTITY})


OUTCOME = Outcome(
    accepted=records("60", "30.5"),
    suspended=records(None),
    duplicates=records("60"),
    filtered=records(),
)


def row(given_records: int, given_quantity: str) -> pl.DataFrame:
    return conservation_row(
        "decode", DAY, "voice", "cdr", given_records, Decimal(given_quantity), OUTCOME
    )


def test_a_conservation_row_counts_every_part_of_the_outcome() -> None:
    counted = row(4, "150.5").row(0, named=True)

    assert {
        name: counted[name] for name in ("accepted", "duplicates", "suspended", "filtered")
    } == {
        "accepted": 2,
        "duplicates": 1,
        "suspended": 1,
        "filtered": 0,
    }
    # 60 + 30.5 + 60; the unreadable quantity counts as a record only.
    assert counted["quantity_out"] == Decimal("150.5")


def test_a_stage_that_keeps_everything_has_no_finding() -> None:
    assert conservation_gaps(row(4, "150.5")).is_empty()


@pytest.mark.parametrize(
    ("given_records", "given_quantity"),
    [
        pytest.param(5, "150.5", id="a record is lost"),
        pytest.param(3, "150.5", id="a record is doubled"),
        pytest.param(4, "150.6", id="quantity is lost"),
    ],
)
def test_a_gap_blocks_and_says_what_to_do(given_records: int, given_quantity: str) -> None:
    found = conservation_gaps(row(given_records, given_quantity)).row(0, named=True)

    assert found["severity"] == "block"
    assert found["subject"] == "decode 2026-01-31 voice cdr"
    assert f"{given_records} records" in found["message"]
    assert "run the stage again" in found["message"]


def expected_days(*days: dt.date) -> pl.DataFrame:
    return pl.DataFrame(
        {"stage": "decode", "partition_day": days, "tenant_key": "voice", "feed_key": "cdr"},
        schema_overrides={"partition_day": pl.Date},
    )


def test_a_day_that_was_worked_on_is_not_missing() -> None:
    assert missing_days(expected_days(DAY), row(4, "150.5")).is_empty()


def test_a_skipped_day_is_found() -> None:
    skipped = dt.date(2026, 1, 30)
    found = missing_days(expected_days(DAY, skipped), row(4, "150.5"))

    assert found.get_column("subject").to_list() == ["decode 2026-01-30 voice cdr"]
    assert "ask whoever sends cdr" in found.get_column("message").item()
