"""Batches in the books: handed over once, again with the same bytes, answered, never lost."""

import datetime as dt
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from billing_pipeline.accounting.handoff import journal_csv, registry
from billing_pipeline.accounting.handoff.format import MappingRefused
from billing_pipeline.accounting.handoff.master_data import customers as generic
from billing_pipeline.books import customer_batches, handoff, journal
from billing_pipeline.books.checks import failing_checks
from billing_pipeline.books.customer_batches import NoSuchCustomerBatch
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.cli import billing
from billing_pipeline.customers.tenant import HandoffMapping, Tenant
from billing_pipeline.documents.store import StoredDocumentDiffers
from billing_pipeline.orchestration.assets import money
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.steps import tell_customers as tell_customers_step
from billing_pipeline.orchestration.steps.book import ExportDiffers, re_export
from billing_pipeline.orchestration.steps.facts import read_facts, read_tenant
from billing_pipeline.orchestration.steps.hand_over import hand_over, raise_refused
from billing_pipeline.orchestration.steps.tell_customers import tell_again, tell_customers
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline_tests.accounting.test_golden import SETTINGS
from billing_pipeline_tests.books.builders import (
    BILL_DAY,
    NOON,
    account,
    apply,
    bill_run,
    tenant_rows,
)
from billing_pipeline_tests.books.export_batches import hand_off

pytestmark = pytest.mark.postgres

DAY = dt.timedelta(days=1)
PAIRS = replace(generic.LAYOUT, most=2)
_CHECKOUT = str(Path(__file__).parents[2])


@pytest.fixture
def installation(tmp_path: Path, engine: sa.Engine, database_url: str) -> Installation:
    """Three booked documents, nothing handed over."""
    apply(engine, tenant_rows(accounts=tuple(account(f"A{number}") for number in (1, 2, 3))))
    bill_run(engine, 1, 2, 3)
    return installation_below(tmp_path, database_url)


def batches(installation: Installation) -> pl.DataFrame:
    with tenant_scope(installation.engine, "acme") as connection:
        return handoff.read_batches(connection, "acme")


def test_an_entry_is_handed_over_once(installation: Installation) -> None:
    hand_off(installation)
    hand_off(installation)
    bill_run(installation.engine, 4)
    hand_off(installation)

    assert batches(installation).select("first_entry", "last_entry").rows() == [(1, 3), (4, 4)]


def test_a_batch_is_exported_again_with_the_same_bytes(installation: Installation) -> None:
    hand_off(installation)
    kept = batches(installation).row(0, named=True)

    again = re_export(installation, read_tenant(installation, "acme"), "journal_csv", 1)

    assert again.sha256 == kept["sha256"]
    assert again.content == Path(kept["path"]).read_bytes()


def test_names_changed_since_give_the_kept_file_and_without_it_a_refusal(
    installation: Installation,
) -> None:
    hand_off(installation)
    kept = batches(installation).row(0, named=True)
    as_superuser(installation, "update postings set ledger_account = '9999'")
    tenant = read_tenant(installation, "acme")

    again = re_export(installation, tenant, "journal_csv", 1)
    assert again.sha256 == kept["sha256"]

    shutil.rmtree(installation.documents_url)
    with pytest.raises(ExportDiffers, match="renders to other bytes than were handed over"):
        re_export(installation, tenant, "journal_csv", 1)


def as_superuser(installation: Installation, statement: str) -> None:
    with installation.engine.begin() as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))
        connection.execute(sa.text(statement))


def test_a_batch_is_exported_listed_answered_and_exported_again_by_command(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BILLING_HOME", str(installation.home))
    monkeypatch.setenv("BILLING_DATABASE_URL", installation.database_url)

    def run(*words: str) -> str:
        result = CliRunner().invoke(billing, ["handoff", *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    first = run("export", "acme")
    assert "journal_csv batch 1: 3 entries" in first
    assert "journal_csv customer batch 1: 3 customers" in first
    assert "every entry was handed over before" in run("export", "acme")
    customers = pl.read_csv(run("customers", "acme", "journal_csv", "--out", str(tmp_path)).strip())
    accounts = read_facts(installation, "acme").accounts
    payers = accounts.filter(pl.col("payer_key") == pl.col("account_key"))
    assert customers["customer"].to_list() == payers["account_key"].sort().to_list()
    assert customers["country"].null_count() == 0
    with monkeypatch.context() as small:
        small.setitem(
            registry.handoff_formats(), "journal_csv", replace(journal_csv.FORMAT, customers=PAIRS)
        )
        pairs = run("customers", "acme", "journal_csv", "--out", str(tmp_path / "pairs")).split()
    assert [pl.read_csv(path).height for path in pairs] == [2, 1]
    assert "journal_csv customers 1: " in run("list", "acme")
    told = run("customers", "acme", "journal_csv", "--batch", "1", "--out", str(tmp_path)).strip()
    assert pl.read_csv(told)["customer"].to_list() == customers["customer"].to_list()
    assert "no answer yet" in run("list", "acme")
    answer = ("accepted", "--by", "ann", "--reference", "IMP-77")
    assert "was accepted" in run("receipt", "acme", "journal_csv", "1", *answer)
    assert "accepted IMP-77" in run("list", "acme")
    again = run("re-export", "acme", "journal_csv", "1", "--out", str(tmp_path / "again"))
    assert (
        Path(again.strip()).read_bytes() == Path(batches(installation).item(0, "path")).read_bytes()
    )


def test_a_batch_nobody_exported_has_no_receipt(installation: Installation) -> None:
    with (
        tenant_scope(installation.engine, "acme") as connection,
        pytest.raises(handoff.NoSuchBatch, match="has exported no batch 1 for datev"),
    ):
        handoff.read_batch(connection, "acme", "datev", 1)


def told(installation: Installation, at: dt.datetime = NOON) -> list[tuple[int, int]]:
    tenant = read_tenant(installation, "acme")
    batches = tell_customers(installation, tenant, "journal_csv", BILL_DAY, at)
    return [(batch.batch_number, batch.customers) for batch in batches]


def with_names(installation: Installation, at: dt.datetime, *names: str) -> None:
    rows = [account(f"A{number}", name=name) for number, name in enumerate(names, start=1)]
    apply(installation.engine, tenant_rows(accounts=tuple(rows)), at=at)


def test_a_system_is_told_of_new_and_changed_customers_only(installation: Installation) -> None:
    assert told(installation) == [(1, 3)]
    assert told(installation) == []

    with_names(installation, NOON + DAY, "Someone", "Two and Sons", "Someone", "Four", "Asks")
    bill_run(installation.engine, 4)
    assert told(installation, NOON + DAY) == [(2, 2)]

    for number, names in ((1, ["Someone"] * 3), (2, ["Two and Sons", "Four"])):
        again = tell_again(installation, "acme", "journal_csv", number)
        assert pl.read_csv(again.content)["name"].to_list() == names
    # Rendered from the accounts as they were known, not merely kept.
    shutil.rmtree(installation.documents_url)
    assert tell_again(installation, "acme", "journal_csv", 1).batch.customers == 3
    with pytest.raises(NoSuchCustomerBatch, match="no customer batch 3 for journal_csv"):
        tell_again(installation, "acme", "journal_csv", 3)


def test_who_owed_when_it_was_booked_is_told_of_though_he_left_or_another_pays_now(
    installation: Installation,
) -> None:
    stayed = (account("A1"), account("A2", payer_key="A1"))
    apply(installation.engine, tenant_rows(accounts=stayed), at=NOON + DAY)

    assert told(installation, NOON + DAY) == [(1, 3)]
    again = tell_again(installation, "acme", "journal_csv", 1)
    assert pl.read_csv(again.content)["account_key"].to_list() == ["A1", "A2", "A3"]

    hand_off(installation)
    changed = (account("A1"), account("A2", payer_key="A1", name="Two and Sons"))
    apply(installation.engine, tenant_rows(accounts=changed), at=NOON + 2 * DAY)
    assert told(installation, NOON + 2 * DAY) == []


def test_a_customer_one_system_could_not_take_holds_up_no_other_system(
    installation: Installation,
) -> None:
    """sage50_invoices: references of up to eight characters; A1 is mapped to nine."""
    longer = {"sage50_invoices": HandoffMapping(customers={"A1": "REFERENCE"})}
    formats = {"handoff_formats": ["sage50_invoices", "journal_csv"], "handoff_mappings": longer}
    tenant = read_tenant(installation, "acme").model_copy(update=formats)

    done = hand_over(installation, tenant, BILL_DAY, NOON)

    assert [file.format_name for file in done.customers] == ["journal_csv"]
    assert [file.format_name for file in done.journal] == ["journal_csv"]
    with pytest.raises(MappingRefused, match=r"acme, sage50_invoices: .* first: A1"):
        raise_refused(done.refused)

    alike = {"sage50_invoices": HandoffMapping(customers={"A1": "ab1", "A2": "AB1"})}
    again = tenant.model_copy(update={"handoff_mappings": alike})
    assert "come out as one" in hand_over(installation, again, BILL_DAY, NOON).refused[0]


def test_a_run_reaches_its_later_tenants_and_then_names_all_that_was_refused(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = read_facts(installation, "acme")
    wrong = facts.tenant.model_copy(update={"handoff_formats": ["sap_idoc", "datev"]})
    tenants = [(replace(facts, tenant=wrong), BILL_DAY), (facts, BILL_DAY)]
    monkeypatch.setattr(money, "_issued_days", lambda *_: tenants)
    # A context outside a run takes no metadata.
    monkeypatch.setattr(dg.AssetExecutionContext, "add_asset_metadata", lambda *_, **__: None)
    monkeypatch.setenv("BILLING_HOME", str(installation.home))
    monkeypatch.setenv("BILLING_DATABASE_URL", installation.database_url)

    with (
        pytest.raises(MappingRefused, match=r"(?s)acme, sap_idoc: .*acme, datev: "),
        dg.build_asset_context(partition_key="2026-02-01|acme") as context,
    ):
        money.accounting_handoff(context, BillingInstallation())

    assert batches(installation)["format_name"].to_list() == ["journal_csv"]


def test_a_mapping_a_system_no_longer_takes_gives_the_kept_files_by_their_names(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = with_debtors(read_tenant(installation, "acme"), first=10001)
    done = hand_over(installation, tenant, BILL_DAY, NOON)
    assert (len(done.customers), len(done.journal)) == (1, 1)
    refused = with_debtors(tenant, first=77)
    monkeypatch.setattr(tell_customers_step, "read_tenant", lambda *_: refused)

    customers = tell_again(installation, "acme", "datev", 1)
    journal_file = re_export(installation, refused, "datev", 1)

    assert customers.sha256 == done.customers[0].sha256
    assert customers.file_name == "EXTF_acme-datev-customers-000001.csv"
    assert journal_file.sha256 == done.journal[0].sha256
    assert journal_file.file_name == "EXTF_acme-datev-000001.csv"
    shutil.rmtree(installation.documents_url)
    with pytest.raises(StoredDocumentDiffers, match="is gone or changed: restore the file"):
        tell_again(installation, "acme", "datev", 1)


def with_debtors(tenant: Tenant, first: int) -> Tenant:
    """The tenant with DATEV debtors of their own, numbered from `first`."""
    debtors = {f"A{number + 1}": str(first + number) for number in range(3)}
    settings = {**SETTINGS["datev"], "debtors": "own"}
    mapping = HandoffMapping(customers=debtors, settings=settings)
    return tenant.model_copy(
        update={"handoff_formats": ["datev"], "handoff_mappings": {"datev": mapping}}
    )


def test_a_run_that_dies_while_telling_told_nobody(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(customer_batches, "copy_in", interrupted)
        with pytest.raises(KeyboardInterrupt):
            told(installation)

    assert told(installation) == [(1, 3)]


def interrupted(*_: object) -> int:
    raise KeyboardInterrupt


def start_exporting(database_url: str, home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "billing_pipeline_tests.books.export_batches", database_url, home],
        cwd=_CHECKOUT,
        env={**os.environ, "PYTHONPATH": _CHECKOUT},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_killed_exports_hand_nothing_over_twice_and_leave_nothing_out(
    installation: Installation, database_url: str
) -> None:
    moments = random.Random(7)  # noqa: S311 - the moments of death are to be repeatable
    for _ in range(4):
        exporter = start_exporting(database_url, installation.home)
        assert exporter.stdout is not None
        assert exporter.stdout.readline() == "handed over\n"
        time.sleep(moments.uniform(0, 0.3))
        exporter.send_signal(signal.SIGKILL)
        exporter.wait()
        exporter.stdout.close()
    hand_off(installation)

    handed_over = pl.concat(
        [pl.read_csv(path, infer_schema=False) for path in batches(installation)["path"]]
    )
    with installation_scope(installation.engine) as connection:
        assert failing_checks(connection, ["handoffs_follow", "handoff_equals_journal"]) == {}
    with tenant_scope(installation.engine, "acme") as connection:
        booked = journal.read_journal(connection, "acme")
    assert handed_over.height == booked.height
    assert set(handed_over["entry_number"]) == set(booked["entry_number"].cast(pl.String))
