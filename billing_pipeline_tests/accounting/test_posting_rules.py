import dataclasses
import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.accounting.journal import Journal, UnbalancedEntry, numbered_journal
from billing_pipeline.accounting.posting_rules import journal_for_documents
from billing_pipeline_tests.accounting.builders import (
    CREDIT_NOTE,
    INVOICE,
    Document,
    invoices_frame,
    journal_frame,
    lines_frame,
    taxes_frame,
    tenant,
)


def sides(journal: pl.DataFrame) -> list[tuple[str, str, int]]:
    return journal.select("ledger_account", "role", "amount_minor").rows()


def booked(documents: list[Document]) -> Journal:
    return journal_for_documents(
        invoices_frame(documents), lines_frame(documents), taxes_frame(documents), tenant()
    )


def test_an_invoice_debits_the_receivable_and_credits_revenue_per_product_and_tax() -> None:
    assert sides(journal_frame([INVOICE])) == [
        ("1100", "receivable", 3000),
        ("4000", "revenue", -2000),
        ("4010", "revenue", -500),
        ("2200", "tax", -500),
    ]


def test_a_credit_note_is_the_mirror_of_an_invoice() -> None:
    assert sides(journal_frame([CREDIT_NOTE])) == [
        ("1100", "receivable", -120),
        ("4010", "revenue", 100),
        ("2200", "tax", 20),
    ]


def test_an_entry_names_its_rule_source_day_account_and_text() -> None:
    entry = booked([CREDIT_NOTE]).entries.row(0, named=True)

    assert entry == {
        "entry_key": "credit_note/CN-2026-000001",
        "posting_rule": "credit_note",
        "source_key": "CN-2026-000001",
        "account_key": "10001",
        "booked_date": dt.date(2026, 3, 1),
        "currency": "GBP",
        "narration": "Credit note CN-2026-000001",
        "due_date": dt.date(2026, 3, 15),
        "belongs_to": None,
        "reverses": None,
    }


def test_tax_is_posted_per_code_and_rate() -> None:
    mixed = Document(
        "INV-1",
        [("calls", 1000), ("books", 400)],
        [("S", "20", 200), ("S", "5", 20), ("Z", "0", 0)],
    )

    taxes = journal_frame([mixed]).filter(pl.col("role") == "tax")

    # The zero-rated group moves no money and has no posting.
    assert taxes.select(pl.col("tax_rate").cast(pl.Int64), "amount_minor").rows() == [
        (5, -20),
        (20, -200),
    ]


def test_a_line_given_back_on_an_invoice_debits_its_revenue() -> None:
    invoice = Document("INV-1", [("subscription", 2000), ("calls", -500)])

    assert sides(journal_frame([invoice])) == [
        ("1100", "receivable", 1500),
        ("4000", "revenue", -2000),
        ("4010", "revenue", 500),
    ]


def test_a_document_that_moves_nothing_has_no_entry() -> None:
    journal = booked([Document("INV-1", [("calls", 0)])])

    assert journal.entries.is_empty()
    assert journal.postings.is_empty()


def test_entries_are_numbered_in_booking_order() -> None:
    journal = numbered_journal(booked([CREDIT_NOTE, INVOICE]), 7)

    assert journal.select("entry_number", "source_key").unique(maintain_order=True).rows() == [
        (7, "INV-2026-000001"),
        (8, "CN-2026-000001"),
    ]


@pytest.mark.parametrize(
    ("documents", "lines", "difference"),
    [
        pytest.param([INVOICE], [], 2500, id="lines are missing"),
        pytest.param(
            [INVOICE],
            [dataclasses.replace(INVOICE, lines=[("calls", 2499)])],
            1,
            id="one minor unit is missing",
        ),
    ],
)
def test_a_document_whose_parts_do_not_sum_is_refused_by_name(
    documents: list[Document], lines: list[Document], difference: int
) -> None:
    with pytest.raises(
        UnbalancedEntry, match=f"invoice/INV-2026-000001 is off by {difference} minor units of GBP"
    ):
        journal_for_documents(
            invoices_frame(documents), lines_frame(lines), taxes_frame(documents), tenant()
        )


amounts = st.integers(min_value=-(10**12), max_value=10**12)
products = st.sampled_from(["subscription", "calls", "books"])
rates = st.sampled_from([("S", "20"), ("S", "5"), ("Z", "0")])


@st.composite
def random_documents(draw: st.DrawFn) -> list[Document]:
    parts = st.tuples(
        st.lists(st.tuples(products, amounts), min_size=1, max_size=6),
        st.lists(st.tuples(rates, amounts), max_size=2, unique_by=lambda tax: tax[0]),
        st.sampled_from(["GBP", "JPY"]),
    )
    return [
        Document(f"INV-{number}", lines, [(*rate, tax) for rate, tax in taxes], currency=currency)
        for number, (lines, taxes, currency) in enumerate(draw(st.lists(parts, max_size=4)))
    ]


def mirrored(document: Document) -> Document:
    return dataclasses.replace(
        document,
        number=f"CN-{document.number}",
        kind="credit_note",
        lines=[(product, -net) for product, net in document.lines],
        taxes=[(code, rate, -tax) for code, rate, tax in document.taxes],
    )


@settings(deadline=None, max_examples=50)
@given(documents=random_documents())
def test_every_entry_balances_and_receivables_equal_totals(documents: list[Document]) -> None:
    journal = journal_frame(documents)

    by_entry = journal.group_by("entry_key").agg(pl.col("amount_minor").sum())
    receivable = journal.filter(pl.col("role") == "receivable").get_column("amount_minor").sum()
    assert by_entry.filter(pl.col("amount_minor") != 0).is_empty()
    assert receivable == sum(document.net + document.tax for document in documents)


@settings(deadline=None, max_examples=50)
@given(documents=random_documents())
def test_a_credit_note_of_everything_cancels_its_invoice_on_every_account(
    documents: list[Document],
) -> None:
    journal = journal_frame([*documents, *map(mirrored, documents)])

    per_account = journal.group_by("ledger_account", "product_key", "tax_rate", "currency").agg(
        pl.col("amount_minor").sum()
    )
    assert per_account.filter(pl.col("amount_minor") != 0).is_empty()
