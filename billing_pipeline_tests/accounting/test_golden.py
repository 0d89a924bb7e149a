"""One small journal in every format, kept as a file: a difference is what accountants will see.

`python -m billing_pipeline_tests.accounting.test_golden` writes the files anew; read the diff.
"""

import datetime as dt
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from billing_pipeline.accounting.handoff.format import MappingRefused
from billing_pipeline.accounting.handoff.hand_off import hand_off
from billing_pipeline.accounting.handoff.registry import OWN_FORMATS
from billing_pipeline.accounting.handoff.sales import sales_rows
from billing_pipeline.customers.tenant import HandoffMapping, LedgerAccounts, Tenant
from billing_pipeline_tests.accounting.builders import (
    HANDED_OVER_AT,
    Document,
    journal_frame,
    tenant,
)
from billing_pipeline_tests.accounting.readers import JOURNALS, SALES, sheet

FOLDER = Path(__file__).parent / "golden"

CHART = LedgerAccounts(
    receivable="1400", revenue="8400", tax="1776", revenue_by_product={"calls": "8410"}
)
SETTINGS = {
    "datev": {"consultant_number": "1001", "client_number": "42"},
    "sap_idoc": {"company_code": "DE01"},
    "sap_journal_upload": {"company_code": "DE01"},
}
DOCUMENTS = [
    Document(
        "RE-2026-1",
        [("subscription", 2000), ("calls", 505)],
        [("S", "20", 501)],
        currency="EUR",
    ),
    Document(
        "GS-2026-1",
        [("calls", -100)],
        [("S", "20", -20)],
        kind="credit_note",
        currency="EUR",
        bill_day=dt.date(2026, 3, 1),
    ),
]


def owner(format_name: str, customer: str = "Müller & Söhne, <GmbH>") -> Tenant:
    mapping = HandoffMapping(
        account_labels={"1400": "Clients", "8400": "Abonnements", "8410": "Appels", "1776": "TVA"},
        customers={} if format_name in ("datev", "sage50_invoices") else {"10001": customer},
        tax_codes={"S/20": "T1"},
        settings=SETTINGS.get(format_name, {}),
    )
    if format_name == "business_central_journal":
        mapping = mapping.model_copy(update={"customers": {}})
    return tenant("EUR", format_name, mapping, CHART)


def rendered(format_name: str, documents: list[Document]) -> bytes:
    (file,) = hand_off(
        journal_frame(documents, owner(format_name)),
        owner(format_name),
        format_name,
        first_batch_number=1,
        created_at=HANDED_OVER_AT,
    )
    return file.content


def golden(format_name: str) -> Path:
    return FOLDER / f"{format_name}{OWN_FORMATS[format_name].suffix}"


@pytest.mark.parametrize("format_name", sorted(OWN_FORMATS))
def test_a_format_still_gives_the_bytes_it_gave(format_name: str) -> None:
    content, kept = rendered(format_name, DOCUMENTS), golden(format_name).read_bytes()

    # Packed formats change their bytes with the packer's version; their content must not.
    match OWN_FORMATS[format_name].suffix:
        case ".xlsx":
            assert sheet(content) == sheet(kept)
        case ".parquet":
            assert pl.read_parquet(content).equals(pl.read_parquet(kept))
        case _:
            assert content == kept


@pytest.mark.parametrize("format_name", sorted(OWN_FORMATS))
def test_a_format_gives_the_same_bytes_whenever_it_is_rendered(format_name: str) -> None:
    assert rendered(format_name, DOCUMENTS) == rendered(format_name, DOCUMENTS)


def test_a_workbook_carries_the_batch_s_instant_and_no_other() -> None:
    file = zipfile.ZipFile(io.BytesIO(rendered("sap_journal_upload", DOCUMENTS)))

    assert {member.date_time for member in file.infolist()} == {(2026, 2, 2, 3, 4, 4)}
    assert file.read("docProps/core.xml").count(b"2026-02-02T03:04:05Z") == 2


def test_every_format_is_read_back() -> None:
    assert {*JOURNALS, *SALES} == set(OWN_FORMATS)


signed = st.integers(min_value=-(10**9), max_value=10**9).filter(bool)
positive = st.integers(min_value=1, max_value=10**9)


@st.composite
def random_documents(draw: st.DrawFn, amounts: st.SearchStrategy[int] = signed) -> list[Document]:
    line = st.tuples(st.sampled_from(["calls", "subscription"]), amounts)
    parts = st.tuples(st.lists(line, min_size=1, max_size=4), st.integers(0, 10**9))
    return [
        Document(f"RE-{number}", [*lines, ("calls", 1)], [("S", "20", tax)], currency="EUR")
        for number, (lines, tax) in enumerate(draw(st.lists(parts, min_size=1, max_size=3)))
    ]


@pytest.mark.parametrize("format_name", sorted(JOURNALS))
@settings(deadline=None, max_examples=4)
@given(documents=random_documents())
def test_a_journal_file_holds_the_journal_s_debits_and_credits(
    format_name: str, documents: list[Document]
) -> None:
    booked = journal_frame(documents, owner(format_name)).get_column("amount_minor")
    assume(booked.len())

    read = JOURNALS[format_name](rendered(format_name, documents))

    assert sum(amount for amount in read if amount > 0) * 100 == booked.filter(booked > 0).sum()
    assert sum(read) == 0


@pytest.mark.parametrize("format_name", sorted(SALES))
@settings(deadline=None, max_examples=4)
@given(documents=random_documents(positive))
def test_a_sales_file_holds_every_document_s_total(
    format_name: str, documents: list[Document]
) -> None:
    read = SALES[format_name](rendered(format_name, documents))

    assert sum(read) * 100 == sum(document.net + document.tax for document in documents)


def test_the_tax_of_a_document_is_split_over_its_rows_without_a_remainder() -> None:
    # 5.01 on 20.00 and 5.05: 20.00 / 25.05 x 5.01 = 4.00, the rest 1.01.
    rows = sales_rows(journal_frame(DOCUMENTS, owner("xero_sales_invoices")), "Xero")

    assert rows.select("source_key", "product_key", "net_minor", "tax_minor").rows() == [
        ("RE-2026-1", "subscription", 2000, 400),
        ("RE-2026-1", "calls", 505, 101),
        ("GS-2026-1", "calls", -100, -20),
    ]


def test_names_with_letters_markup_and_separators_survive() -> None:
    for format_name in (
        "quickbooks_journal",
        "netsuite_journal",
        "sap_idoc",
        "xero_sales_invoices",
    ):
        content = rendered(format_name, DOCUMENTS).decode()
        assert (
            "Müller &amp; Söhne, &lt;GmbH&gt;" in content or '"Müller & Söhne, <GmbH>"' in content
        )


def test_a_workbook_gives_numbers_and_dates_not_text() -> None:
    first = sheet(rendered("business_central_journal", DOCUMENTS))[0]

    assert first["Amount"] == pytest.approx(30.06)
    assert first["Posting Date"] == dt.datetime(2026, 2, 1)
    assert first["Document Type"] == "Invoice"


@pytest.mark.parametrize(
    ("format_name", "changes", "complaint"),
    [
        pytest.param(
            "fec", {"account_labels": {}}, r"label for every account.*RE-2026-1", id="FEC label"
        ),
        pytest.param(
            "sage50_invoices", {"tax_codes": {}}, r"T-code.*RE-2026-1", id="Sage tax code"
        ),
        pytest.param(
            "sage50_invoices",
            {"customers": {"10001": "MUELLER123"}},
            r"8 characters",
            id="Sage customer",
        ),
        pytest.param(
            "xero_sales_invoices", {"tax_codes": {}}, r"tax_codes.*RE-2026-1", id="Xero tax"
        ),
        pytest.param("sap_idoc", {"settings": {}}, r"company_code", id="SAP company"),
        pytest.param(
            "business_central_journal",
            {"customers": {"10001": "X" * 21}},
            r"20 characters.*RE-2026-1",
            id="Business Central number",
        ),
    ],
)
def test_what_a_target_could_not_take_is_refused_by_name(
    format_name: str, changes: dict[str, dict[str, str]], complaint: str
) -> None:
    complete = owner(format_name)
    mapping = complete.handoff_mappings[format_name].model_copy(update=changes)
    incomplete = complete.model_copy(update={"handoff_mappings": {format_name: mapping}})

    with pytest.raises(MappingRefused, match=complaint):
        hand_off(
            journal_frame(DOCUMENTS, complete),
            incomplete,
            format_name,
            first_batch_number=1,
            created_at=HANDED_OVER_AT,
        )


@pytest.mark.parametrize("format_name", sorted(SALES))
def test_a_sales_file_takes_documents_only(format_name: str) -> None:
    journal = journal_frame(DOCUMENTS, owner(format_name)).with_columns(
        posting_rule=pl.lit("revenue_accrual")
    )

    with pytest.raises(MappingRefused, match="invoices and credit notes only"):
        hand_off(
            journal,
            owner(format_name),
            format_name,
            first_batch_number=1,
            created_at=HANDED_OVER_AT,
        )


def write_golden_files() -> None:
    FOLDER.mkdir(exist_ok=True)
    for format_name in OWN_FORMATS:
        golden(format_name).write_bytes(rendered(format_name, DOCUMENTS))


if __name__ == "__main__":
    write_golden_files()
