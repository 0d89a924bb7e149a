import datetime as dt

import polars as pl
import pytest

from billing_pipeline.accounting.journal import Journal
from billing_pipeline.accounting.periods import (
    PeriodRefused,
    State,
    in_open_periods,
    monthly_periods,
    with_state,
)
from billing_pipeline.accounting.posting_rules import journal_for_documents
from billing_pipeline_tests.accounting.builders import (
    Document,
    invoices_frame,
    lines_frame,
    taxes_frame,
    tenant,
)

JANUARY, FEBRUARY, MARCH = (dt.date(2026, month, 1) for month in (1, 2, 3))
PERIODS = monthly_periods(JANUARY, 3)


def invoice_of(*days: dt.date) -> Journal:
    documents = [
        Document(f"INV-{number}", [("calls", 100)], bill_day=bill_day)
        for number, bill_day in enumerate(days)
    ]
    return journal_for_documents(
        invoices_frame(documents), lines_frame(documents), taxes_frame(documents), tenant()
    )


def dated(journal: Journal) -> list[tuple[dt.date, dt.date | None, str]]:
    return journal.entries.select("booked_date", "belongs_to", "narration").rows()


def test_periods_are_calendar_months() -> None:
    assert PERIODS.select("first_day", "until_day").rows() == [
        (JANUARY, FEBRUARY),
        (FEBRUARY, MARCH),
        (MARCH, dt.date(2026, 4, 1)),
    ]


def test_an_entry_in_an_open_period_stays_where_it_is() -> None:
    assert dated(in_open_periods(invoice_of(JANUARY), PERIODS)) == [
        (JANUARY, None, "Invoice INV-0")
    ]


def test_a_late_entry_goes_into_the_next_open_period_and_names_its_own() -> None:
    closed = with_state(with_state(PERIODS, JANUARY, "closed"), FEBRUARY, "closed")
    late = dt.date(2026, 1, 31)

    assert dated(in_open_periods(invoice_of(late, MARCH), closed)) == [
        (MARCH, late, "Invoice INV-0 (belongs to 2026-01-31)"),
        (MARCH, None, "Invoice INV-1"),
    ]


def test_days_outside_all_periods_are_open() -> None:
    before = dt.date(2025, 12, 31)
    closed = with_state(PERIODS, JANUARY, "closed")

    assert dated(in_open_periods(invoice_of(before), closed)) == [(before, None, "Invoice INV-0")]


def test_with_every_period_closed_nothing_can_be_booked() -> None:
    closed = PERIODS.with_columns(state=pl.lit("closed"))

    with pytest.raises(PeriodRefused, match="no open period after 2026-01-01"):
        in_open_periods(invoice_of(JANUARY), closed)


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        pytest.param([(FEBRUARY, "closed")], "close the period from 2026-01-01 first", id="order"),
        pytest.param([(JANUARY, "locked")], "is open and cannot become locked", id="lock open"),
        pytest.param(
            [(JANUARY, "closed"), (JANUARY, "locked"), (JANUARY, "open")],
            "is locked and cannot become open",
            id="locked for good",
        ),
        pytest.param(
            [(JANUARY, "closed"), (FEBRUARY, "closed"), (JANUARY, "open")],
            "reopen the period from 2026-02-01 first",
            id="reopen in reverse",
        ),
        pytest.param([(dt.date(2026, 1, 2), "closed")], "no fiscal period begins", id="unknown"),
    ],
)
def test_periods_refuse_a_step_out_of_order(
    steps: list[tuple[dt.date, State]], complaint: str
) -> None:
    periods = PERIODS
    *allowed, last = steps
    for first_day, state in allowed:
        periods = with_state(periods, first_day, state)

    with pytest.raises(PeriodRefused, match=complaint):
        with_state(periods, *last)
