import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.invoicing.assemble import (
    DocumentDoesNotAddUp,
    invoice_document,
    invoice_documents,
)
from billing_pipeline.invoicing.usage import MOST_TOTALS, usage_behind, usage_by_day, usage_totals
from billing_pipeline_tests.documents.builders import (
    credit_note,
    document_of,
    family_invoice,
    usage,
)
from billing_pipeline_tests.invoicing.builders import TENANT, accounts, draft, numbered, to_post


def test_a_document_has_a_section_per_account_with_its_own_subtotal() -> None:
    document = family_invoice(0)

    assert [(part.account_key, part.net_minor) for part in document.sections] == [
        ("C-1", 14900),
        ("C-2", 13236),
        ("C-3", 2948),
    ]
    assert [line.line_number for line in document.lines] == [1, 2, 3, 4, 5, 6, 7]


def test_a_credit_note_prints_what_it_gives_back_as_positive() -> None:
    document = credit_note()

    assert (document.net_minor, document.tax_minor, document.total_minor) == (2000, 380, 2380)
    assert [line.net_minor for line in document.lines] == [2000]
    assert document.corrected_invoices == ("INV-2026-000007",)


@pytest.mark.parametrize(
    ("quantity", "unit_price", "amount", "shown"),
    [
        pytest.param("100", "0.05", "5", Decimal("0.05"), id="multiplies"),
        pytest.param("3", "0.333", "1", Decimal("0.333"), id="multiplies once rounded"),
        pytest.param("1", "20", "12.90", None, id="prorated"),
        pytest.param("100", None, "5", None, id="tiers"),
    ],
)
def test_a_unit_price_is_printed_where_a_reader_can_multiply(
    quantity: str, unit_price: str | None, amount: str, shown: Decimal | None
) -> None:
    charge = {"quantity": quantity, "unit_price": unit_price, "amount": amount}

    assert document_of(to_post(charge)).lines[0].unit_price == shown


def test_the_last_day_of_service_is_printed_not_the_day_after() -> None:
    document = family_invoice(0)

    assert (document.period_from, document.period_to) == (
        dt.date(2026, 2, 1),
        dt.date(2026, 2, 28),
    )
    assert document.lines[0].service_to == dt.date(2026, 2, 28)


@pytest.mark.parametrize("column", ["net_minor", "tax_minor", "total_minor"])
def test_a_document_that_does_not_add_up_is_not_built(column: str) -> None:
    drafts = draft(to_post({}))
    wrong = numbered(drafts).with_columns(pl.col(column) + 1)

    with pytest.raises(DocumentDoesNotAddUp, match="INV-2026-000001"):
        invoice_document(wrong, drafts.lines, drafts.taxes, TENANT, accounts())


def test_all_documents_of_a_run_are_the_documents_one_by_one() -> None:
    known = accounts(
        {"account_key": "A", "name": "Ä"},
        {"account_key": "B", "payer_key": "A", "name": "B"},
        {"account_key": "C", "name": "C"},
    )
    drafts = draft(to_post({"account_key": "A"}, {"account_key": "B"}, {"account_key": "C"}), known)
    calls = usage(3, "B", "S-1")
    listed = calls.with_columns(invoice_key=pl.lit("A/2026-03-01/invoice"))

    both = list(
        invoice_documents(
            numbered(drafts), drafts.lines, drafts.taxes, TENANT, known, itemisation=listed
        )
    )

    assert [document.account_key for document in both] == ["A", "C"]
    assert [section.name for section in both[0].sections] == ["Ä", "B"]
    assert both[0].itemisation.equals(calls)
    assert both[1].itemisation.is_empty()


def _lines(**changes: object) -> pl.DataFrame:
    charge = {"charge_kind": "usage", "price_key": "calls", "amount": "9", **changes}
    return draft(to_post(charge)).lines


def test_usage_behind_a_line_is_that_of_its_subscription_price_and_local_days() -> None:
    calls = usage(4).with_columns(
        started_at=pl.Series(
            [
                dt.datetime(2026, 1, 31, 22, 59, 59, tzinfo=dt.UTC),
                dt.datetime(2026, 1, 31, 23, 0, 0, tzinfo=dt.UTC),  # 1 February in Berlin
                dt.datetime(2026, 2, 28, 22, 59, 59, tzinfo=dt.UTC),
                dt.datetime(2026, 2, 28, 23, 0, 0, tzinfo=dt.UTC),  # 1 March in Berlin
            ],
            dtype=pl.Datetime("us", "UTC"),
        )
    )
    others = pl.concat(
        [usage(2, subscription_key="S-2"), usage(2).with_columns(price_key=pl.lit("x"))]
    )

    behind = usage_behind(_lines(), pl.concat([calls, others]).lazy(), "Europe/Berlin")

    assert behind["record_number"].to_list() == [2, 3]
    assert behind["invoice_key"].unique().to_list() == ["C-1/2026-03-01/invoice"]


def test_a_correction_lists_no_usage_again() -> None:
    lines = _lines(posting_number=2, posted_amount="5", posted_minor=500)

    assert usage_behind(lines, usage(3).lazy(), "Europe/Berlin").is_empty()


def test_the_long_tail_of_destinations_is_one_row_and_nothing_is_lost() -> None:
    calls = usage(60).with_columns(rate_name=pl.format("place {}", pl.col("record_number") % 20))

    totals = usage_totals(calls)

    assert len(totals) == MOST_TOTALS
    assert totals[-1].label == ""
    assert sum(total.events for total in totals) == 60
    assert sum((total.amount for total in totals), Decimal(0)) == calls["amount"].sum()


def test_usage_by_day_is_by_the_tenants_day() -> None:
    [late] = usage_by_day(
        usage(1).with_columns(
            started_at=pl.lit(dt.datetime(2026, 2, 1, 23, 30, tzinfo=dt.UTC)).cast(
                pl.Datetime("us", "UTC")
            )
        ),
        "Europe/Berlin",
    )

    assert (late.day, late.events) == (dt.date(2026, 2, 2), 1)
