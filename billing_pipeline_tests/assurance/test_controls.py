"""Each control: silent on clean facts, and speaking when one fault is put in."""

import datetime as dt
from collections.abc import Callable

import polars as pl
import pytest

from billing_pipeline.assurance.controls import (
    charges_not_twice,
    documents_match_lines,
    entries_balance,
    journal_matches_documents,
    lines_match_charges,
    numbers_without_gaps,
)
from billing_pipeline.assurance.findings import all_findings, is_blocked
from billing_pipeline_tests.accounting.builders import (
    CREDIT_NOTE,
    INVOICE,
    invoices_frame,
    journal_frame,
    lines_frame,
    taxes_frame,
)

ALL = [INVOICE, CREDIT_NOTE]
DOCUMENTS, LINES, TAXES, JOURNAL = (
    invoices_frame(ALL),
    lines_frame(ALL),
    taxes_frame(ALL),
    journal_frame(ALL),
)
POSTED = LINES.select("charge_key", "posting_number", amount_minor="net_minor")


def one_more(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The frame with its first value of `column` one minor unit higher."""
    first = pl.int_range(pl.len()) == 0
    return frame.with_columns(
        pl.when(first).then(pl.col(column) + 1).otherwise(column).alias(column)
    )


def periods(*spans: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "charge_key": [f"sub/fee/recurring/{start}" for start, _ in spans],
            "account_key": "10001",
            "subscription_key": "sub",
            "price_key": "fee",
            "charge_kind": "recurring",
            "service_from": [dt.date.fromisoformat(start) for start, _ in spans],
            "service_until": [dt.date.fromisoformat(end) for _, end in spans],
        }
    )


MONTHS = (("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-03-01"))


def series(*numbers: int) -> pl.DataFrame:
    return pl.DataFrame({"series": "INV", "year": 2026, "number": numbers})


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(lines_match_charges(POSTED, LINES), id="charges and lines"),
        pytest.param(documents_match_lines(DOCUMENTS, LINES, TAXES), id="documents and lines"),
        pytest.param(journal_matches_documents(DOCUMENTS, JOURNAL), id="journal and documents"),
        pytest.param(entries_balance(JOURNAL), id="journal balance"),
        pytest.param(numbers_without_gaps(series(3, 1, 2)), id="number series"),
        pytest.param(charges_not_twice(periods(*MONTHS)), id="charges"),
    ],
)
def test_a_control_is_silent_on_clean_facts(found: pl.DataFrame) -> None:
    assert found.rows() == []


@pytest.mark.parametrize(
    ("control", "subject"),
    [
        pytest.param(
            lambda: lines_match_charges(one_more(POSTED, "amount_minor"), LINES),
            "INV-2026-000001/1#1",
            id="a charge posted with another amount",
        ),
        pytest.param(
            lambda: lines_match_charges(POSTED, LINES.slice(1)),
            "INV-2026-000001/1#1",
            id="a charge that is on no document",
        ),
        pytest.param(
            lambda: lines_match_charges(POSTED.slice(1), LINES),
            "INV-2026-000001/1#1",
            id="a line without a charge",
        ),
        pytest.param(
            lambda: documents_match_lines(DOCUMENTS, one_more(LINES, "net_minor"), TAXES),
            "key/INV-2026-000001",
            id="a line that was changed",
        ),
        pytest.param(
            lambda: documents_match_lines(DOCUMENTS, LINES, one_more(TAXES, "tax_minor")),
            "key/INV-2026-000001",
            id="a tax that was changed",
        ),
        pytest.param(
            lambda: documents_match_lines(one_more(DOCUMENTS, "total_minor"), LINES, TAXES),
            "key/INV-2026-000001",
            id="a total that was changed",
        ),
        pytest.param(
            lambda: documents_match_lines(DOCUMENTS.slice(0, 1), LINES.slice(2), TAXES),
            "key/INV-2026-000001",
            id="a document without lines",
        ),
        pytest.param(
            lambda: journal_matches_documents(one_more(DOCUMENTS, "total_minor"), JOURNAL),
            "INV-2026-000001",
            id="a document that was changed after booking",
        ),
        pytest.param(
            lambda: journal_matches_documents(DOCUMENTS.slice(1), JOURNAL),
            "INV-2026-000001",
            id="a booking without a document",
        ),
        pytest.param(
            lambda: journal_matches_documents(DOCUMENTS, JOURNAL.slice(4)),
            "INV-2026-000001",
            id="a document that is not booked",
        ),
        pytest.param(
            lambda: journal_matches_documents(
                DOCUMENTS.slice(0, 1),
                pl.concat(
                    [
                        JOURNAL.slice(0, 4),
                        JOURNAL.slice(0, 4).with_columns(entry_number=pl.lit(9, pl.Int64)),
                    ]
                ),
            ),
            "INV-2026-000001",
            id="a document booked twice",
        ),
        pytest.param(
            lambda: entries_balance(one_more(JOURNAL, "amount_minor")),
            "invoice/INV-2026-000001",
            id="a posting that was changed",
        ),
        pytest.param(
            lambda: numbers_without_gaps(series(1, 2, 4)), "INV 2026", id="a number is missing"
        ),
        pytest.param(
            lambda: numbers_without_gaps(series(2)), "INV 2026", id="the first number is missing"
        ),
        pytest.param(
            lambda: numbers_without_gaps(series(1, 2, 2)), "INV 2026", id="a number given twice"
        ),
        pytest.param(
            lambda: charges_not_twice(pl.concat([periods(*MONTHS), periods(MONTHS[0])])),
            "sub/fee/recurring/2026-01-01",
            id="a charge computed twice",
        ),
        pytest.param(
            lambda: charges_not_twice(periods(*MONTHS, ("2026-02-28", "2026-03-28"))),
            "sub/fee/recurring/2026-02-28",
            id="a day charged twice",
        ),
    ],
)
def test_a_control_finds_an_injected_fault(
    control: Callable[[], pl.DataFrame], subject: str
) -> None:
    found = control()

    assert found.get_column("subject").to_list() == [subject]
    assert is_blocked(found)


def test_a_gap_is_named_by_its_numbers() -> None:
    found = numbers_without_gaps(series(1, 2, 5, 5))

    assert (
        found.get_column("message")
        .item()
        .startswith("2 numbers are missing (3, 4), 1 were given twice (5).")
    )


def test_findings_of_all_controls_stand_in_one_frame_and_nothing_found_blocks_nothing() -> None:
    assert all_findings([]).is_empty()
    assert not is_blocked(all_findings([]))
