"""Documents taken back before they went out."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.books import checks, invoices
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import simulate
from billing_pipeline.orchestration.steps.void import CannotVoid, note_delivery, void_invoice
from billing_pipeline.orchestration.throwaway import installation_below

pytestmark = pytest.mark.postgres

STORY = Path(__file__).parents[1] / "scenarios" / "reverse_charge_and_export" / "given"
NOON = dt.datetime(2026, 2, 3, 12, tzinfo=dt.UTC)


@pytest.fixture
def billed(database_url: str, tmp_path: Path) -> Installation:
    installation = installation_below(tmp_path, database_url)
    simulate(installation, STORY, dt.date(2026, 2, 1), tmp_path / "out")
    return installation


def issued(installation: Installation) -> pl.DataFrame:
    with tenant_scope(installation.engine, "acme") as connection:
        return invoices.read_invoices(connection, "acme")


def void(installation: Installation, number: str, reason: str = "wrong address") -> str:
    return void_invoice(installation, "acme", number, reason=reason, voided_by="a clerk", now=NOON)


def test_a_void_is_a_credit_note_in_full_that_names_the_document(billed: Installation) -> None:
    before = issued(billed).filter(pl.col("total_minor") == 11900).row(0, named=True)

    number = void(billed, before["invoice_number"])

    credit = issued(billed).row(by_predicate=pl.col("invoice_number") == number, named=True)
    assert credit["document_kind"] == "credit_note"
    assert (credit["net_minor"], credit["tax_minor"]) == (-10000, -1900)
    assert credit["corrects_invoice"] == before["invoice_number"]
    with installation_scope(billed.engine) as connection:
        assert checks.failing_checks(connection) == {}


def test_a_document_that_went_out_is_not_taken_back(billed: Installation) -> None:
    number = issued(billed)["invoice_number"][0]
    note_delivery(billed, "acme", number, channel="email", recorded_by="mail", now=NOON)

    with pytest.raises(CannotVoid, match=r"was delivered by email.*next bill run"):
        void(billed, number)


def test_a_void_document_is_neither_taken_back_twice_nor_sent(billed: Installation) -> None:
    number = issued(billed)["invoice_number"][0]
    credit_note = void(billed, number)

    with pytest.raises(CannotVoid, match=f"void already, by {credit_note}"):
        void(billed, number)
    with pytest.raises(CannotVoid, match="do not send it"):
        note_delivery(billed, "acme", number, channel="email", recorded_by="mail", now=NOON)
    with pytest.raises(CannotVoid, match="is a credit note"):
        void(billed, credit_note)


def test_without_a_reason_nothing_is_taken_back(billed: Installation) -> None:
    with pytest.raises(CannotVoid, match="say why"):
        void(billed, issued(billed)["invoice_number"][0], reason="  ")
    with pytest.raises(CannotVoid, match="has no document 'X-1'"):
        void(billed, "X-1")
