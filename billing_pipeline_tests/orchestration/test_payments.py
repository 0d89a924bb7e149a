"""Money that comes in: settled, booked with what the exchange brought, stated and confirmed."""

import datetime as dt
import io
import shutil
from pathlib import Path

import pdfplumber
import polars as pl
import pytest
import yaml

from billing_pipeline.books import checks, journal, payments
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.intake.payments import PaymentsRefused, read_payments
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import bill_due_days, render_documents, simulate
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.receipt import NoReceipt, keep_receipts
from billing_pipeline.orchestration.steps.receive import (
    PaymentChanged,
    Received,
    UnknownDocument,
    record_payments,
)
from billing_pipeline.orchestration.throwaway import installation_below

pytestmark = [pytest.mark.postgres, pytest.mark.pdf]

STORY = Path(__file__).parents[1] / "scenarios" / "reverse_charge_and_export" / "given" / "acme"
PAID_AT = dt.datetime(2026, 2, 20, 12, tzinfo=dt.UTC)
BILLED_AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

# The tenant keeps its books in pounds and bills in euro: 0.80 on the day of issue, 0.90 from the
# 10th on. A-1 owes 119.00 and pays 100.00 and 30.00; the 119.00 of A-3 are given up.
PAYMENTS = """\
payment_key,kind,account_key,received_on,amount,invoice_number,reference
P-1,,A-1,2026-02-10,100.00,,INV-2026-000001
P-2,payment,A-1,2026-02-12,30.00,,
W-1,write_off,A-3,2026-02-15,119.00,,insolvent
"""


def story(folder: Path) -> Path:
    tenant = folder / "acme"
    shutil.copytree(STORY, tenant)
    configured = yaml.safe_load((tenant / "tenant.yaml").read_text())
    roles = {"bank": "1800", "write_off": "6930", "bank_revaluation": "1801"}
    configured["ledger_accounts"]["by_role"] = {**roles, "exchange_difference": "4840"}
    configured["exchange_rates"] = [
        {"currency": "EUR", "valid_from": "2026-01-01", "rate": 0.80, "source": "test"},
        {"currency": "EUR", "valid_from": "2026-02-10", "rate": 0.90, "source": "test"},
    ]
    (tenant / "tenant.yaml").write_text(yaml.safe_dump(configured | {"currency": "GBP"}))
    accounts = pl.read_csv(tenant / "accounts.csv", infer_schema=False)
    accounts.with_columns(currency=pl.lit("EUR")).write_csv(tenant / "accounts.csv")
    sections = "sections: [letterhead, headline, lines, totals, statement, payment]\n"
    (tenant / "templates").mkdir()
    (tenant / "templates" / "template.yaml").write_text(sections)
    return folder


@pytest.fixture
def billed(database_url: str, tmp_path: Path) -> Installation:
    installation = installation_below(tmp_path, database_url)
    simulate(installation, story(tmp_path / "given"), dt.date(2026, 2, 1), tmp_path / "out")
    return installation


def record(installation: Installation, folder: Path, content: str = PAYMENTS) -> Received:
    facts = read_facts(installation, "acme")
    (folder / "payments.csv").write_text(content)
    handed_in = read_payments(folder / "payments.csv", facts.accounts)
    return record_payments(installation, facts, handed_in, recorded_by="a clerk", now=PAID_AT)


def booked(installation: Installation, rule: str) -> list[tuple[str, str, int]]:
    with tenant_scope(installation.engine, "acme") as connection:
        rows = journal.read_journal(connection, "acme").filter(pl.col("posting_rule") == rule)
    return rows.select("role", "currency", "amount_minor").rows()


def pdf_text(path: Path) -> str:
    with pdfplumber.open(io.BytesIO(path.read_bytes())) as pdf:
        return "\n".join(page.extract_text() for page in pdf.pages).replace("\xa0", " ")


def test_money_settles_documents_and_is_booked_stated_and_confirmed(
    billed: Installation, tmp_path: Path
) -> None:
    received = record(billed, tmp_path)

    assert (received.new, received.known) == (3, 0)
    settled = received.settled.select("payment_key", "amount_minor").rows()
    assert settled == [("P-1", 10000), ("P-2", 1900), ("W-1", 11900)]
    assert booked(billed, "payment") == [
        ("bank", "EUR", 10000),
        ("receivable", "EUR", -10000),
        ("bank", "EUR", 3000),
        ("receivable", "EUR", -3000),
    ]
    assert booked(billed, "write_off") == [
        ("receivable", "EUR", -11900),
        ("write_off", "EUR", 11900),
    ]
    # 100.00 x (0.90 - 0.80) and 19.00 x (0.90 - 0.80); what is not settled yet has gained nothing.
    assert booked(billed, "realised_exchange") == [
        ("bank_revaluation", "GBP", 1000),
        ("exchange_difference", "GBP", -1000),
        ("bank_revaluation", "GBP", 190),
        ("exchange_difference", "GBP", -190),
    ]

    bill_due_days(billed, BILLED_AT)
    with tenant_scope(billed.engine, "acme") as connection:
        stated = payments.read_statements(
            connection, "acme", [f"INV-2026-00000{number}" for number in range(1, 9)]
        )
    # 119.00 open, 130.00 paid, 119.00 billed: 108.00. A-3: 119.00 given up, 119.00 billed.
    assert [row[1:] for row in stated.rows()] == [
        *((0, 0, 0, total, total) for total in (11900, 10000, 11900, 10000)),
        (11900, 13000, 0, 11900, 10800),
        (10000, 0, 0, 10000, 20000),
        (11900, 0, 11900, 11900, 11900),
        (10000, 0, 0, 10000, 20000),
    ]

    again = record(billed, tmp_path)
    assert (again.new, again.known) == (0, 3)
    assert again.settled.rows() == [("P-2", "INV-2026-000005", dt.date(2026, 3, 1), 1100)]

    render_documents(billed, tmp_path / "pdf")
    invoice = pdf_text(tmp_path / "pdf" / "acme" / "INV-2026-000005.pdf")
    assert [figure for figure in ("119,00", "-130,00", "108,00 €") if figure not in invoice] == []
    facts = read_facts(billed, "acme")
    (kept,) = keep_receipts(billed, facts, ["P-1"]).values()
    receipt = pdf_text(Path(kept.removeprefix("file://")))
    assert [word for word in ("100,00 €", "INV-2026-000001", "P-1") if word not in receipt] == []
    assert keep_receipts(billed, facts, ["P-1"]) == {"P-1": kept}
    with pytest.raises(NoReceipt, match="has received no payment 'W-1'"):
        keep_receipts(billed, facts, ["W-1"])

    with installation_scope(billed.engine) as connection:
        assert checks.failing_checks(connection) == {}


def test_what_was_recorded_is_not_changed_and_unknown_documents_are_refused(
    billed: Installation, tmp_path: Path
) -> None:
    record(billed, tmp_path)

    with pytest.raises(PaymentChanged, match="P-2"):
        record(billed, tmp_path, PAYMENTS.replace("30.00", "31.00"))
    with pytest.raises(UnknownDocument, match="P-9 names INV-2026-000002, which account A-1"):
        record(
            billed,
            tmp_path,
            "payment_key,account_key,received_on,amount,invoice_number\n"
            "P-9,A-1,2026-02-10,1.00,INV-2026-000002\n",
        )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("P-1,X-1,2026-02-10,1.00,payment,", "no account X-1", id="account"),
        pytest.param("P-1,A-1,10.02.2026,1.00,payment,", "received_on is not a day", id="day"),
        pytest.param("P-1,A-1,2026-02-10,1.001,payment,", "amount is not a sum", id="cents"),
        pytest.param("P-1,A-1,2026-02-10,-5,payment,", "amount is not a sum", id="sign"),
        pytest.param("P-1,A-1,2026-02-10,5,gift,", "neither payment nor write_off", id="kind"),
        pytest.param("P-1,A-1,2026-02-10,5,write_off,", "needs its reason", id="reason"),
    ],
)
def test_a_payments_file_with_a_mistake_is_refused_by_row(
    row: str, message: str, tmp_path: Path
) -> None:
    accounts = pl.DataFrame({"account_key": ["A-1"], "currency": ["EUR"]})
    path = tmp_path / "payments.csv"
    path.write_text(f"payment_key,account_key,received_on,amount,kind,reference\n{row}\n")

    with pytest.raises(PaymentsRefused, match=f"row 2: .*{message}"):
        read_payments(path, accounts)
