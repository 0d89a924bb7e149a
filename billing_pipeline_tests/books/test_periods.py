import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from billing_pipeline.accounting.periods import monthly_periods, with_state
from billing_pipeline.accounting.schema import JOURNAL_ENTRIES
from billing_pipeline.books.journal import book
from billing_pipeline.books.periods import keep_periods, read_periods
from billing_pipeline_tests.accounting.builders import INVOICE, Document
from billing_pipeline_tests.accounting.test_posting_rules import booked

pytestmark = pytest.mark.postgres

JANUARY, FEBRUARY = dt.date(2026, 1, 1), dt.date(2026, 2, 1)
PERIODS = monthly_periods(JANUARY, 2)


@pytest.fixture
def books(engine: sa.Engine) -> Iterator[sa.Connection]:
    connection = engine.connect()
    connection.exec_driver_sql(
        "insert into tenants (tenant_key, name, kind, currency, time_zone, bill_hour, document, "
        "revision) values ('voice', 'Voice', 'brand', 'GBP', 'UTC', 2, '{}', 1)"
    )
    keep_periods(connection, "voice", PERIODS, changed_by="finance")
    yield connection
    connection.close()


def test_periods_are_kept_and_only_changes_are_written(books: sa.Connection) -> None:
    closed = with_state(PERIODS, JANUARY, "closed")

    assert keep_periods(books, "voice", PERIODS, changed_by="finance") == 0
    assert keep_periods(books, "voice", closed, changed_by="finance") == 1
    assert read_periods(books, "voice").equals(closed)


def test_no_entry_gets_into_a_closed_period(books: sa.Connection) -> None:
    keep_periods(books, "voice", with_state(PERIODS, JANUARY, "closed"), changed_by="finance")
    late = booked([Document("INV-0", [("calls", 100)], bill_day=dt.date(2026, 1, 31))])

    with pytest.raises(DatabaseError, match="period from 2026-01-01 of voice is closed"):
        book(books, "voice", JOURNAL_ENTRIES.conform(late.entries), late.postings)


def test_an_entry_gets_into_an_open_period(books: sa.Connection) -> None:
    keep_periods(books, "voice", with_state(PERIODS, JANUARY, "closed"), changed_by="finance")
    on_time = booked([INVOICE])

    assert book(books, "voice", on_time.entries, on_time.postings) == 1


def test_a_locked_period_stays_locked(books: sa.Connection) -> None:
    locked = with_state(with_state(PERIODS, JANUARY, "closed"), JANUARY, "locked")
    keep_periods(books, "voice", locked, changed_by="finance")

    with pytest.raises(DatabaseError, match="is locked and stays as it is"):
        keep_periods(books, "voice", PERIODS, changed_by="finance")
