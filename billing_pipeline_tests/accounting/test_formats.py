"""Each format is read again by a reader that knows nothing of how we wrote it."""

import csv
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.accounting.handoff.format import MappingRefused
from billing_pipeline.accounting.handoff.hand_off import hand_off
from billing_pipeline.customers.tenant import HandoffMapping, LedgerAccounts, Tenant
from billing_pipeline_tests.accounting.builders import (
    CREDIT_NOTE,
    HANDED_OVER_AT,
    INVOICE,
    Document,
    journal_frame,
    tenant,
)

GERMAN_CHART = LedgerAccounts(
    receivable="1400", revenue="8400", tax="1776", revenue_by_product={"calls": "8410"}
)
GERMAN_INVOICE = Document(
    "RE-2026-1", [("subscription", 2000), ("calls", 500)], [("S", "19", 475)], currency="EUR"
)
GERMAN_CREDIT_NOTE = Document(
    "GS-2026-1", [("calls", -100)], [("S", "19", -19)], kind="credit_note", currency="EUR"
)


def content(journal: pl.DataFrame, owner: Tenant) -> bytes:
    (file,) = hand_off(
        journal, owner, owner.handoff_formats[0], first_batch_number=1, created_at=HANDED_OVER_AT
    )
    return file.content


def german(**settings: str) -> Tenant:
    identified = {"consultant_number": "1001", "client_number": "42", **settings}
    return tenant("EUR", "datev", HandoffMapping(settings=identified), GERMAN_CHART)


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def test_the_canonical_csv_reads_back_as_the_journal() -> None:
    journal = journal_frame([INVOICE, CREDIT_NOTE])
    rows = rows_of(content(journal, tenant()))

    assert [int(row["amount_minor"]) for row in rows] == journal["amount_minor"].to_list()
    assert [row["debit"] or f"-{row['credit']}" for row in rows] == [
        *("30.00", "-20.00", "-5.00", "-5.00"),
        *("-1.20", "1.00", "0.20"),
    ]


def test_the_canonical_json_groups_postings_by_entry() -> None:
    document = json.loads(
        content(journal_frame([INVOICE, CREDIT_NOTE]), tenant(format_name="journal_json"))
    )

    assert document["batch"]["totals"] == [
        {"currency": "GBP", "debit_minor": 3120, "credit_minor": 3120}
    ]
    assert [entry["source_key"] for entry in document["entries"]] == [
        "INV-2026-000001",
        "CN-2026-000001",
    ]
    assert document["entries"][1]["postings"][2] == {
        "posting_number": 3,
        "ledger_account": "2200",
        "role": "tax",
        "product_key": None,
        "tax_code": "S",
        "tax_rate": "20",
        "tax_base_minor": 100,
        "cost_centre": None,
        "amount_minor": 20,
    }


def bean_check(ledger: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "journal.beancount"
    file.write_bytes(ledger)
    program = Path(sys.executable).with_name("bean-check")
    return subprocess.run([program, file], capture_output=True, text=True, check=False)


def test_bean_check_accepts_the_books(tmp_path: Path) -> None:
    yen = Document("INV-2026-000002", [("calls", 700)], currency="JPY")
    dinar = Document("INV-2026-000003", [("calls", 7)], currency="KWD")
    ledger = content(
        journal_frame([INVOICE, CREDIT_NOTE, yen, dinar]), tenant(format_name="beancount")
    )

    checked = bean_check(ledger, tmp_path)

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.parametrize(
    ("written", "tampered", "complaint"),
    [
        pytest.param("-5.00 GBP", "-4.99 GBP", "does not balance", id="one penny off"),
        pytest.param(
            "GBP\n2026-03-02 balance Income:4000  -20.00",
            "GBP\n2026-03-02 balance Income:4000  -20.01",
            "Balance failed",
            id="another total",
        ),
        pytest.param(
            "2026-02-01 open Income:4000\n", "", "Invalid reference", id="unknown account"
        ),
    ],
)
def test_bean_check_refuses_tampered_books(
    written: str, tampered: str, complaint: str, tmp_path: Path
) -> None:
    ledger = content(
        journal_frame([INVOICE, CREDIT_NOTE]), tenant(format_name="beancount")
    ).decode()
    assert written in ledger

    checked = bean_check(ledger.replace(written, tampered, 1).encode(), tmp_path)

    assert checked.returncode == 1
    assert complaint in checked.stdout + checked.stderr


def test_two_accounts_with_one_beancount_name_are_refused() -> None:
    chart = LedgerAccounts(
        receivable="1100", revenue="40 00", tax="2200", revenue_by_product={"calls": "40-00"}
    )
    owner = tenant(format_name="beancount", ledger_accounts=chart)

    with pytest.raises(MappingRefused, match="INV-2026-000001"):
        content(journal_frame([INVOICE], owner), owner)


def test_quickbooks_rows_name_accounts_customers_and_us_dates() -> None:
    mapping = HandoffMapping(
        ledger_accounts={"1100": "Accounts Receivable (A/R)"}, customers={"10001": "Acme, Inc."}
    )
    owner = tenant(format_name="quickbooks_journal", mapping=mapping)
    rows = rows_of(content(journal_frame([CREDIT_NOTE]), owner))

    assert [tuple(row.values())[:8] for row in rows] == [
        (
            *("1", "03/01/2026", "Accounts Receivable (A/R)", "Credit note CN-2026-000001"),
            *("", "1.20", "Acme, Inc.", "GBP"),
        ),
        ("1", "03/01/2026", "4010", "Credit note CN-2026-000001", "1.00", "", "", "GBP"),
        ("1", "03/01/2026", "2200", "Credit note CN-2026-000001", "0.20", "", "", "GBP"),
    ]
    assert list(rows[0])[-2:] == ["Location", "Class"]


def test_xero_journals_are_signed_grouped_by_narration_and_add_no_tax() -> None:
    owner = tenant(
        format_name="xero_manual_journal", mapping=HandoffMapping(ledger_accounts={"1100": "615"})
    )
    rows = rows_of(content(journal_frame([INVOICE, CREDIT_NOTE]), owner))
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key = (row["*Narration"], row["*Date"])
        sums[key] = sums.get(key, Decimal(0)) + Decimal(row["*Amount"])

    assert sums == {
        ("Invoice INV-2026-000001 (entry 1)", "01/02/2026"): 0,
        ("Credit note CN-2026-000001 (entry 2)", "01/03/2026"): 0,
    }
    assert [(row["*AccountCode"], row["*Amount"]) for row in rows[:2]] == [
        ("615", "30.00"),
        ("4000", "-20.00"),
    ]
    assert {row["*TaxRate"] for row in rows} == {"No VAT"}


def test_xero_takes_the_base_currency_only() -> None:
    owner = tenant(format_name="xero_manual_journal")
    foreign = Document("INV-9", [("calls", 100)], currency="USD")

    with pytest.raises(MappingRefused, match=r"here GBP.*INV-9"):
        content(journal_frame([INVOICE, foreign]), owner)


def test_xero_refuses_an_unknown_setting() -> None:
    owner = tenant(
        format_name="xero_manual_journal", mapping=HandoffMapping(settings={"tax_rate": "No VAT"})
    )

    with pytest.raises(MappingRefused, match="tax_rate: Extra inputs are not permitted"):
        content(journal_frame([INVOICE]), owner)


def datev_rows(file: bytes) -> tuple[list[str], list[str], list[list[str]]]:
    text = file.decode("cp1252")
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    header, names, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    return header, names, rows


def test_the_datev_header_says_whose_books_and_which_span() -> None:
    journal = journal_frame([GERMAN_INVOICE, GERMAN_CREDIT_NOTE], german())
    header, names, rows = datev_rows(content(journal, german(fiscal_year_month="7")))

    assert len(header) == 31
    assert header[:6] == ["EXTF", "700", "21", "Buchungsstapel", "13", "20260202030405678"]
    # A year that starts in July began on 1 July 2025.
    assert header[10:16] == ["1001", "42", "20250701", "4", "20260201", "20260201"]
    assert (header[21], header[26]) == ("EUR", "03")
    assert len(names) == len(set(names)) == 125
    assert {len(row) for row in rows} == {125}


def test_datev_rows_post_net_and_tax_against_the_receivable_exactly() -> None:
    journal = journal_frame([GERMAN_INVOICE, GERMAN_CREDIT_NOTE], german())
    _, names, rows = datev_rows(content(journal, german(automatic_accounts="8400, 8410")))
    shown = [
        "Umsatz (ohne Soll/Haben-Kz)",
        "Soll/Haben-Kennzeichen",
        "Konto",
        "Gegenkonto (ohne BU-Schlüssel)",
        "BU-Schlüssel",
        "Belegdatum",
        "Belegfeld 1",
    ]

    # 25.00 net, 19 % = 4.75; the credit note 1.00 net, 0.19. Key 40 only on automatic accounts.
    assert [[row[names.index(name)] for name in shown] for row in rows] == [
        ["1,00", "H", "1400", "8410", "40", "0102", "GS-2026-1"],
        ["0,19", "H", "1400", "1776", "", "0102", "GS-2026-1"],
        ["20,00", "S", "1400", "8400", "40", "0102", "RE-2026-1"],
        ["5,00", "S", "1400", "8410", "40", "0102", "RE-2026-1"],
        ["4,75", "S", "1400", "1776", "", "0102", "RE-2026-1"],
    ]


def test_datev_text_is_quoted_and_numbers_are_bare() -> None:
    line = content(journal_frame([GERMAN_INVOICE], german()), german()).split(b"\r\n")[2]

    assert line.startswith(b'20,00;"S";"EUR";;;"";1400;8400;"";0102;"RE-2026-1";"";;"Invoice')


def test_datev_debtors_have_accounts_of_their_own() -> None:
    _, names, rows = datev_rows(
        content(journal_frame([GERMAN_INVOICE], german()), german(debtors="own"))
    )

    assert {row[names.index("Konto")] for row in rows} == {"10001"}


@pytest.mark.parametrize(
    ("document", "settings", "complaint"),
    [
        pytest.param(
            Document("RE 1", [("calls", 1)], currency="EUR"),
            {},
            "document numbers.*RE 1",
            id="blank",
        ),
        pytest.param(
            Document("RE-1", [("calls", 1)], currency="CHF"), {}, "here EUR.*RE-1", id="currency"
        ),
        pytest.param(
            Document("RE-1", [("calls", 1)], currency="EUR", account="acme"),
            {"debtors": "own"},
            "5 digits.*RE-1",
            id="debtor is no number",
        ),
        pytest.param(
            GERMAN_INVOICE, {"consultant_number": "7"}, "consultant_number", id="consultant"
        ),
    ],
)
def test_datev_refuses_what_it_could_not_take(
    document: Document, settings: dict[str, str], complaint: str
) -> None:
    owner = german(**settings)

    with pytest.raises(MappingRefused, match=complaint):
        content(journal_frame([document], owner), owner)


def test_a_datev_file_holds_one_fiscal_year() -> None:
    next_year = Document(
        "RE-2027-1",
        [("calls", 1)],
        currency="EUR",
        bill_day=GERMAN_INVOICE.bill_day.replace(year=2027),
    )
    files = hand_off(
        journal_frame([GERMAN_INVOICE, next_year], german()),
        german(),
        "datev",
        first_batch_number=1,
        created_at=HANDED_OVER_AT,
    )

    assert [file.batch.entries for file in files] == [1, 1]
    assert [file.file_name for file in files] == [
        "EXTF_voice-datev-000001.csv",
        "EXTF_voice-datev-000002.csv",
    ]
