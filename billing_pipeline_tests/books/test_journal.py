import datetime as dt
import threading

import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal
from sqlalchemy.exc import DBAPIError

from billing_pipeline.accounting.schema import JOURNAL, JOURNAL_ENTRIES, POSTINGS
from billing_pipeline.books.handoff import (
    BatchExported,
    ClaimedBatch,
    open_batch,
    read_batches,
    record_exported,
)
from billing_pipeline.books.journal import book, read_journal, trial_balance
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline_tests.books.builders import BILL_DAY, NOON, Values, apply, frame, tenant_rows

pytestmark = pytest.mark.postgres

CLAIM = (
    "insert into handoff_batches "
    "(tenant_key, format_name, batch_number, first_entry, last_entry, bill_day) "
    "values ('acme', 'csv', {number}, {entry}, {entry}, '2026-01-01')"
)


@pytest.fixture
def books(engine: sa.Engine) -> sa.Engine:
    apply(engine, tenant_rows())
    return engine


def entries(*sources: str) -> pl.DataFrame:
    return frame(
        JOURNAL_ENTRIES,
        *(
            {
                "entry_key": f"invoice/{source}",
                "posting_rule": "invoice",
                "source_key": source,
                "account_key": "A1",
                "booked_date": BILL_DAY,
                "currency": "EUR",
                "narration": f"Invoice {source}",
            }
            for source in sources
        ),
    )


def sides(source: str, *amounts: int, currency: str = "EUR") -> list[Values]:
    return [
        {
            "entry_key": f"invoice/{source}",
            "posting_number": number,
            "ledger_account": "1400" if amount > 0 else "8400",
            "role": "receivable" if amount > 0 else "revenue",
            "currency": currency,
            "amount_minor": amount,
        }
        for number, amount in enumerate(amounts, start=1)
    ]


def postings(*sources: str) -> pl.DataFrame:
    return frame(POSTINGS, *(side for source in sources for side in sides(source, 2380, -2380)))


def book_all(engine: sa.Engine, *sources: str) -> int:
    with tenant_scope(engine, "acme") as connection:
        return book(connection, "acme", entries(*sources), postings(*sources))


def book_rows(engine: sa.Engine, source: str, rows: list[Values]) -> None:
    with tenant_scope(engine, "acme") as connection:
        book(connection, "acme", entries(source), frame(POSTINGS, *rows))


def claim(engine: sa.Engine, format_name: str = "csv") -> ClaimedBatch | None:
    with tenant_scope(engine, "acme") as connection:
        return open_batch(connection, "acme", format_name, BILL_DAY, opened_at=NOON)


def export(engine: sa.Engine, batch: ClaimedBatch | None) -> None:
    assert batch is not None
    with tenant_scope(engine, "acme") as connection:
        record_exported(connection, batch, path="b.csv", sha256="0" * 64, totals={"entries": 1})


def test_entries_are_numbered_in_the_order_given(books: sa.Engine) -> None:
    assert book_all(books, "INV-2", "INV-1") == 2
    assert book_all(books, "INV-3") == 1

    with tenant_scope(books, "acme") as connection:
        journal = read_journal(connection, "acme")
        middle = read_journal(connection, "acme", first_entry=2, last_entry=2)
    assert_frame_equal(journal, JOURNAL.conform(journal))
    numbered = journal.filter(pl.col("posting_number") == 1).select("entry_number", "source_key")
    assert numbered.rows() == [(1, "INV-2"), (2, "INV-1"), (3, "INV-3")]
    assert middle.get_column("source_key").to_list() == ["INV-1", "INV-1"]


def test_a_fact_is_booked_once(books: sa.Engine) -> None:
    book_all(books, "INV-1")

    assert book_all(books, "INV-1", "INV-2") == 1
    assert book_all(books, "INV-2") == 0

    with tenant_scope(books, "acme") as connection:
        journal = read_journal(connection, "acme")
    assert journal.select("entry_number", "source_key").unique().sort("entry_number").rows() == [
        (1, "INV-1"),
        (2, "INV-2"),
    ]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        pytest.param(sides("INV-1", 2380, -2379), "does not balance", id="a minor unit short"),
        pytest.param(sides("INV-1", 2380), "does not balance", id="one side only"),
        pytest.param([], "has no postings", id="no side"),
        pytest.param(
            [*sides("INV-1", 5), {**sides("INV-1", -5, currency="USD")[0], "posting_number": 2}],
            "does not balance",
            id="balanced over two currencies",
        ),
    ],
)
def test_an_entry_that_does_not_balance_is_not_booked(
    books: sa.Engine, rows: list[Values], complaint: str
) -> None:
    with pytest.raises(DBAPIError, match=complaint):
        book_rows(books, "INV-1", rows)

    assert book_all(books, "INV-1") == 1
    with tenant_scope(books, "acme") as connection:
        assert read_journal(connection, "acme").get_column("entry_number").max() == 1


@pytest.mark.parametrize("table", ["journal_entries", "postings"])
@pytest.mark.parametrize(
    "change", ["update {} set tenant_key = tenant_key", "delete from {}", "truncate {}"]
)
def test_nobody_changes_the_journal(books: sa.Engine, table: str, change: str) -> None:
    book_all(books, "INV-1")

    with pytest.raises(DBAPIError, match="append-only"), books.begin() as owner:
        owner.execute(sa.text(change.format(table)))


def test_a_balanced_pair_cannot_be_slipped_into_a_booked_entry(books: sa.Engine) -> None:
    book_all(books, "INV-1")
    slip = sa.text(
        "insert into postings select 'acme', 1, n, '8400', 'revenue', null, null, null, 'EUR', "
        "case n when 3 then 100 else -100 end from generate_series(3, 4) as n"
    )

    with (
        pytest.raises(DBAPIError, match="in the transaction that books"),
        tenant_scope(books, "acme") as connection,
    ):
        connection.execute(slip)


def test_two_bookers_at_once_leave_no_gap_and_book_no_fact_twice(books: sa.Engine) -> None:
    start = threading.Barrier(2)

    def run() -> None:
        start.wait()
        for first in range(0, 20, 4):
            book_all(books, *(f"INV-{number}" for number in range(first, first + 4)))

    bookers = [threading.Thread(target=run) for _ in range(2)]
    for booker in bookers:
        booker.start()
    for booker in bookers:
        booker.join()

    with tenant_scope(books, "acme") as connection:
        journal = read_journal(connection, "acme").filter(pl.col("posting_number") == 1)
    assert journal.get_column("entry_number").to_list() == list(range(1, 21))
    assert journal.get_column("source_key").n_unique() == 20


def test_the_trial_balance_sums_to_zero(books: sa.Engine) -> None:
    book_all(books, "INV-1", "INV-2")

    with tenant_scope(books, "acme") as connection:
        rows = connection.execute(trial_balance("acme", BILL_DAY)).all()
        before = connection.execute(trial_balance("acme", BILL_DAY - dt.timedelta(days=1))).all()

    assert [tuple(row) for row in rows] == [("1400", "EUR", 4760), ("8400", "EUR", -4760)]
    assert before == []


def test_batches_follow_each_other_without_gap_or_overlap(books: sa.Engine) -> None:
    assert claim(books) is None
    book_all(books, "INV-1", "INV-2")
    first = claim(books)
    export(books, first)
    assert claim(books) is None
    book_all(books, "INV-3")
    second = claim(books)
    export(books, second)

    assert first == ClaimedBatch("acme", "csv", 1, 1, 2, BILL_DAY, NOON)
    assert second == ClaimedBatch("acme", "csv", 2, 3, 3, BILL_DAY, NOON)
    assert claim(books, "datev") == ClaimedBatch("acme", "datev", 1, 1, 3, BILL_DAY, NOON)
    with tenant_scope(books, "acme") as connection:
        read = read_batches(connection, "acme").select("format_name", "batch_number", "totals")
    assert read.rows() == [
        ("csv", 1, '{"entries": 1}'),
        ("csv", 2, '{"entries": 1}'),
        ("datev", 1, None),
    ]


def test_a_claimed_batch_is_finished_before_the_next_is_opened(books: sa.Engine) -> None:
    book_all(books, "INV-1")
    claimed = claim(books)
    book_all(books, "INV-2")

    assert claim(books) == claimed


def test_a_batch_is_exported_once(books: sa.Engine) -> None:
    book_all(books, "INV-1")
    claimed = claim(books)
    export(books, claimed)

    with pytest.raises(BatchExported, match="batch 1 of acme for csv"):
        export(books, claimed)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("update handoff_batches set last_entry = 5", "stays as it is"),
        ("delete from handoff_batches", "stays as it is"),
        (CLAIM.format(number=2, entry=1), "does not follow"),
        (CLAIM.format(number=3, entry=2), "does not follow"),
    ],
    ids=["widen", "forget", "overlap", "skip"],
)
def test_the_claims_are_not_rewritten(books: sa.Engine, change: str, complaint: str) -> None:
    book_all(books, "INV-1")
    claim(books)

    with pytest.raises(DBAPIError, match=complaint), books.begin() as owner:
        owner.execute(sa.text(change))
