import datetime as dt
import threading
from decimal import Decimal

import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal
from sqlalchemy.exc import DBAPIError

from billing_pipeline.books.invoices import (
    DocumentChanged,
    allot_numbers,
    issue_documents,
    missing_documents,
    read_documents,
    read_invoices,
    read_lines,
    read_taxes,
    record_document,
)
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.books.tables import invoice_number_series
from billing_pipeline_tests.books.builders import (
    BILL_DAY,
    apply,
    drafts,
    issue,
    issue_drafts,
    line,
    tenant_rows,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
def books(engine: sa.Engine) -> sa.Engine:
    apply(engine, tenant_rows())
    return engine


def last_number(engine: sa.Engine) -> int | None:
    with tenant_scope(engine, "acme") as connection:
        return connection.execute(sa.select(invoice_number_series.c.last_number)).scalar()


def test_what_was_issued_is_read_back(books: sa.Engine) -> None:
    given = drafts(1, 2)
    with tenant_scope(books, "acme") as connection:
        assert allot_numbers(connection, "acme", "invoice", 2026, 2) == 1
        issue_documents(connection, "acme", *given)

    with tenant_scope(books, "acme") as connection:
        assert_frame_equal(read_invoices(connection, "acme"), given[0])
        read = read_lines(connection, "acme")
        assert_frame_equal(read.drop("invoice_number"), given[1])
        assert read.get_column("invoice_number").unique().sort().to_list() == ["INV-1", "INV-2"]
        assert_frame_equal(read_taxes(connection, "acme").drop("invoice_number"), given[2])
        one = read_lines(connection, "acme", invoice_number="INV-2")
        assert one.get_column("invoice_key").unique().to_list() == ["A2/2026-02-01/invoice"]
        assert read_invoices(connection, "acme", bill_day=BILL_DAY).height == 2
        assert read_invoices(connection, "acme", bill_day=dt.date(2026, 2, 2)).is_empty()


def test_blocks_follow_each_other_per_series_and_year(books: sa.Engine) -> None:
    with tenant_scope(books, "acme") as connection:
        blocks = [
            allot_numbers(connection, "acme", series, year, count)
            for series, year, count in [
                ("invoice", 2026, 3),
                ("invoice", 2026, 2),
                ("credit_note", 2026, 1),
                ("invoice", 2027, 1),
            ]
        ]
        connection.rollback()

    assert blocks == [1, 4, 1, 1]


def test_a_number_that_is_on_no_document_is_not_committed(books: sa.Engine) -> None:
    with pytest.raises(DBAPIError, match="2 numbers allotted, 1 documents issued"):
        issue_drafts(books, drafts(1), allotted=2)

    assert last_number(books) is None


def test_a_rollback_leaves_no_gap(books: sa.Engine) -> None:
    issue(books, 1)
    with books.connect() as connection:
        allot_numbers(connection, "acme", "invoice", 2026, 1)
        issue_documents(connection, "acme", *drafts(2))
        connection.rollback()

    assert last_number(books) == 1
    with tenant_scope(books, "acme") as connection:
        assert allot_numbers(connection, "acme", "invoice", 2026, 1) == 2
        issue_documents(connection, "acme", *drafts(2))


def test_two_issuers_at_once_share_no_number_and_leave_no_gap(books: sa.Engine) -> None:
    start = threading.Barrier(2)
    firsts: list[int] = []

    def run(account: int) -> None:
        start.wait()
        for _ in range(5):
            with tenant_scope(books, "acme") as connection:
                first = allot_numbers(connection, "acme", "invoice", 2026, 2)
                firsts.append(first)
                pair = drafts(first, first + 1, bill_day=BILL_DAY + dt.timedelta(days=account))
                issue_documents(connection, "acme", *pair)

    issuers = [threading.Thread(target=run, args=(account,)) for account in (1, 2)]
    for issuer in issuers:
        issuer.start()
    for issuer in issuers:
        issuer.join()

    assert sorted(firsts) == list(range(1, 21, 2))
    with tenant_scope(books, "acme") as connection:
        numbers = read_invoices(connection, "acme").get_column("invoice_number")
    assert set(numbers) == {f"INV-{n}" for n in range(1, 21)}


@pytest.mark.parametrize("table", ["invoices", "invoice_lines", "invoice_taxes", "documents"])
@pytest.mark.parametrize(
    "change", ["update {} set tenant_key = tenant_key", "delete from {}", "truncate {} cascade"]
)
def test_nobody_changes_an_issued_document(books: sa.Engine, table: str, change: str) -> None:
    issue(books, 1)

    with pytest.raises(DBAPIError, match="append-only"), books.begin() as owner:
        owner.execute(sa.text(change.format(table)))


def test_a_line_cannot_be_added_later(books: sa.Engine) -> None:
    issue(books, 1)

    with (
        pytest.raises(DBAPIError, match="in the transaction that issues"),
        tenant_scope(books, "acme") as connection,
    ):
        connection.execute(
            sa.text(
                "insert into invoice_taxes select tenant_key, invoice_number, 'Z', 0, '', '', 0, 0 "
                "from invoices"
            )
        )


def test_the_same_document_is_not_issued_twice(books: sa.Engine) -> None:
    issue(books, 1)
    again, lines, taxes = drafts(1)

    other_number = again.with_columns(invoice_number=pl.lit("INV-2"))
    with pytest.raises(DBAPIError, match="invoices_issued_once"):
        issue_drafts(books, (other_number, lines, taxes), allotted=1)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="no line"),
        pytest.param([line(1, net_minor=1999)], id="a minor unit less"),
        pytest.param([line(1), line(1, line_number=2, net_minor=1)], id="a minor unit more"),
    ],
)
def test_a_document_that_does_not_add_up_is_not_issued(
    books: sa.Engine, lines: list[dict[str, object]]
) -> None:
    invoices, given, taxes = drafts(1)
    rows = pl.DataFrame(lines, schema=given.schema) if lines else given.clear()

    with pytest.raises(DBAPIError, match="does not add up"):
        issue_drafts(books, (invoices, rows, taxes), allotted=1)


def test_documents_to_render_are_found_the_largest_first(books: sa.Engine) -> None:
    issue(books, 1, 2)
    sha256 = "0" * 64
    with tenant_scope(books, "acme") as connection:
        missing = missing_documents(connection, "acme", "pdf")
        assert missing.select("invoice_number", "lines").rows() == [("INV-1", 1), ("INV-2", 1)]

        for _ in range(2):
            record_document(connection, "acme", "INV-1", kind="pdf", path="a.pdf", sha256=sha256)
        missing = missing_documents(connection, "acme", "pdf")
        assert missing.get_column("invoice_number").to_list() == ["INV-2"]
        assert missing_documents(connection, "acme", "html").height == 2
        recorded = read_documents(connection, "acme", invoice_number="INV-1")
        assert recorded.rows() == [("INV-1", "pdf", "a.pdf", sha256)]


def test_a_document_once_sent_is_not_replaced_by_other_bytes(books: sa.Engine) -> None:
    issue(books, 1)
    with tenant_scope(books, "acme") as connection:
        record_document(connection, "acme", "INV-1", kind="pdf", path="a.pdf", sha256="0" * 64)
        with pytest.raises(DocumentChanged, match="INV-1 pdf"):
            record_document(connection, "acme", "INV-1", kind="pdf", path="b.pdf", sha256="1" * 64)


def test_a_block_without_numbers_makes_no_sense(books: sa.Engine) -> None:
    with pytest.raises(ValueError, match="0 numbers"), tenant_scope(books, "acme") as connection:
        allot_numbers(connection, "acme", "invoice", 2026, 0)


def test_a_tenant_does_not_see_the_documents_of_another(books: sa.Engine) -> None:
    apply(books, tenant_rows("other"))
    issue(books, 1)

    with tenant_scope(books, "other") as connection:
        assert read_invoices(connection, "acme").is_empty()


def test_decimals_of_lines_survive_exactly(books: sa.Engine) -> None:
    invoices, lines, taxes = drafts(1)
    exact = lines.with_columns(unit_price=pl.lit(Decimal("0.0000713001"), pl.Decimal(38, 10)))
    with tenant_scope(books, "acme") as connection:
        allot_numbers(connection, "acme", "invoice", 2026, 1)
        issue_documents(connection, "acme", invoices, exact, taxes)
        assert read_lines(connection, "acme").item(0, "unit_price") == Decimal("0.0000713001")
