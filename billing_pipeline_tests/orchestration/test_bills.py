"""Beside the bill run: preview, decide, draft, provision, swap; on Postgres."""

import datetime as dt
import json
import shutil
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from billing_pipeline.books.drafts import read_alerts, read_draft_alerts
from billing_pipeline.books.invoices import read_invoices
from billing_pipeline.books.provisioning import waiting_events
from billing_pipeline.books.recommendations import read_recommendations
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.cli import billing
from billing_pipeline.orchestration.bills import (
    Decision,
    NothingWaits,
    decide,
    preview_bill_day,
)
from billing_pipeline.orchestration.configure import export_folder, read_folders
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import bill_due_days, simulate
from billing_pipeline.orchestration.steps.draft import draft_next_bills
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.provision import emit_provisioning
from billing_pipeline.orchestration.steps.swap import recommend_plans
from billing_pipeline.orchestration.swap import Swap, apply_swap, open_period_starts
from billing_pipeline.orchestration.throwaway import installation_below

pytestmark = [pytest.mark.postgres, pytest.mark.scenario]

STORIES = Path(__file__).parents[1] / "scenarios"
APRIL = dt.date(2026, 4, 1)
MAY = dt.date(2026, 5, 1)
JUNE = dt.date(2026, 6, 1)
NOON = dt.datetime(2026, 5, 10, 12, tzinfo=dt.UTC)


@pytest.fixture
def told(database_url: str, tmp_path: Path) -> Installation:
    """$20 and 0.05 a minute, from 16 April $40 and 0.02; 200 minutes in April, billed on 1 May."""
    given = tmp_path / "given"
    shutil.copytree(STORIES / "usage_follows_the_plan_of_its_day" / "given", given)
    with (given / "acme" / "tenant.yaml").open("a") as tenant:
        tenant.write("billing_policy: {usage_alerts: [1, 50]}\n")
    installation = installation_below(tmp_path, database_url)
    simulate(installation, given, MAY, tmp_path / "out")
    return installation


def billed(installation: Installation, day: dt.date) -> list[tuple[object, ...]]:
    accounts = preview_bill_day(installation, "acme", day, NOON).accounts
    return accounts.select("account_key", "amount", "last_amount", "since_preview").rows()


def test_a_preview_compares_with_the_last_bill_and_the_last_preview(told: Installation) -> None:
    assert billed(told, JUNE) == [("A-1", Decimal(40), Decimal(37), None)]
    assert billed(told, JUNE) == [("A-1", Decimal(40), Decimal(37), Decimal(0))]
    with pytest.raises(NothingWaits, match="nothing of acme 2026-06-01 waits"):
        decide(
            told, Decision("acme", JUNE, None, is_approved=True, decided_by="x", reason=""), NOON
        )


def test_a_swap_saves_and_rates_the_open_period_anew(told: Installation, tmp_path: Path) -> None:
    """200 minutes in April: 20 + 10 = 30.00 on basic, 40 + 4 = 44.00 on premium."""
    facts = read_facts(told, "acme")
    compared = recommend_plans(told, facts, facts.accounts["account_key"], MAY, 1, NOON)
    columns = ["current_plan", "recommended_plan", "current_amount", "saving"]
    assert compared.select(columns).rows() == [("premium", "basic", Decimal(44), Decimal(14))]
    with tenant_scope(told.engine, "acme") as connection:
        assert read_recommendations(connection, "acme").equals(compared)

    first = open_period_starts(facts, "S-1", dt.date(2026, 5, 10))
    folder = tmp_path / "exported" / "acme"
    export_folder(told, "acme", folder)
    apply_swap(told, "acme", Swap("S-1", "basic", first), now=NOON, by="sales", folder=folder)

    assert first == MAY
    assert billed(told, JUNE)[0][1] == Decimal(20)
    (written,) = read_folders(folder)
    assert written.terms.changes.equals(read_facts(told, "acme").terms.changes)


def test_a_draft_announces_usage_once(database_url: str, tmp_path: Path) -> None:
    """On 21 April 5.00 of usage are complete; of the new plan's 125 minutes 100 are used, 80 %.

    With fees of 10.00 and 20.00 it is 35.00 so far, and no more is expected.
    """
    given = tmp_path / "given"
    shutil.copytree(STORIES / "usage_follows_the_plan_of_its_day" / "given", given)
    usage = given / "acme" / "usage" / "calls"
    (usage / "@2026-05-01").rename(usage / "@2026-04-21")
    with (given / "acme" / "plans.yaml").open("a") as plans:
        plans.write(
            "    included_units: [{key: free, units: 125, prices: [minutes]}]\n"
        )  # of the last plan
    with (given / "acme" / "tenant.yaml").open("a") as tenant:
        tenant.write(
            "billing_policy: {usage_alerts: [1, 5, 50], expected_bill_alerts: [35, 36],"
            " included_unit_alerts: [80, 81]}\n"
        )
    installation = installation_below(tmp_path, database_url)
    today = dt.date(2026, 4, 21)
    simulate(installation, given, today, tmp_path / "out")
    facts = read_facts(installation, "acme")

    drafted = draft_next_bills(installation, facts, today, NOON)
    again = draft_next_bills(installation, facts, today, NOON)

    columns = ["next_bill_day", "usage_amount", "amount", "expected"]
    assert drafted.drafts.select(columns).rows() == [(MAY, Decimal(5), Decimal(35), Decimal(35))]
    assert drafted.alerts["threshold"].to_list() == [Decimal(1), Decimal(5)]
    assert drafted.draft_alerts.select("kind", "threshold", "reached").rows() == [
        ("expected_bill", Decimal(35), Decimal(35)),
        ("included_units", Decimal(80), Decimal(80)),
    ]
    assert again.alerts.is_empty()
    assert again.draft_alerts.is_empty()
    with tenant_scope(installation.engine, "acme") as connection:
        assert read_alerts(connection, "acme").height == 2
        assert read_draft_alerts(connection, "acme").equals(drafted.draft_alerts)


def test_other_systems_are_told_once_and_acknowledge(
    told: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_HOME", str(told.home))
    monkeypatch.setenv("BILLING_DATABASE_URL", told.database_url)
    facts = read_facts(told, "acme")
    emit_provisioning(told, facts, MAY, NOON)
    assert emit_provisioning(told, facts, MAY, NOON).is_empty()
    command = CliRunner()

    listed = command.invoke(billing, ["provisioning", "list", "acme"]).output.splitlines()
    events = [json.loads(line) for line in listed]
    number = str(events[0]["event_number"])
    command.invoke(billing, ["provisioning", "ack", "acme", number, "--by", "switch"])

    assert [(event["what"], event["to_value"]) for event in events] == [
        ("status", "active"),
        ("plan", "premium"),
    ]
    with tenant_scope(told.engine, "acme") as connection:
        assert waiting_events(connection, "acme", limit=10)["what"].to_list() == ["plan"]


def test_a_day_that_waits_is_rejected_or_approved_by_command(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given"
    story = STORIES / "a_bill_run_waits_for_approval" / "given"
    shutil.copytree(story, given, ignore=shutil.ignore_patterns("decisions.csv"))
    installation = installation_below(tmp_path, database_url)
    simulate(installation, given, APRIL, tmp_path / "out")
    monkeypatch.setenv("BILLING_HOME", str(installation.home))
    monkeypatch.setenv("BILLING_DATABASE_URL", installation.database_url)
    decision = ["acme", "2026-04-01", "--reason", "compared with March", "--by", "dana"]

    approved = CliRunner().invoke(billing, ["bills", "approve", *decision])
    bill_due_days(installation, NOON)
    rejected = CliRunner().invoke(billing, ["bills", "reject", "acme", "2026-05-01", *decision[2:]])

    assert approved.output.startswith("approved 2026-04-01/")
    assert rejected.output.startswith("rejected 2026-05-01/")
    with tenant_scope(installation.engine, "acme") as connection:
        issued = read_invoices(connection, "acme")
    assert issued.select("bill_day", "total_minor").rows() == [(APRIL, 3000)]


def test_the_commands_say_what_they_show(
    told: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_HOME", str(told.home))
    monkeypatch.setenv("BILLING_DATABASE_URL", told.database_url)
    command = CliRunner()

    shown = command.invoke(billing, ["bills", "preview", "acme", "2026-06-01"])
    machine = command.invoke(billing, ["bills", "preview", "acme", "2026-06-01", "--json"])
    drafts = command.invoke(billing, ["bills", "drafts", "acme"])
    swap = command.invoke(billing, ["swap", "compare", "acme", "--all", "--until", "2026-05-01"])

    assert "acme 2026-06-01: 1 accounts due, 40.00 USD net to post" in shown.output
    assert json.loads(machine.output)["accounts"][0]["account_key"] == "A-1"
    assert "A-1" in drafts.output
    assert "premium" in swap.output
    assert [result.exit_code for result in (shown, machine, drafts, swap)] == [0, 0, 0, 0]


def test_a_correction_says_which_fact_changed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled on 10 May, back to 16 April: half of April and all of May come back."""
    monkeypatch.setenv("BILLING_HOME", str(tmp_path))
    monkeypatch.setenv("BILLING_DATABASE_URL", database_url)
    story = STORIES / "cancelled_back_in_time_after_two_invoices" / "given"
    simulate(
        installation_below(tmp_path, database_url), story, dt.date(2026, 5, 11), tmp_path / "o"
    )
    command = CliRunner()

    credit = command.invoke(billing, ["bills", "why", "acme", "CN-2026-000001"])
    first = command.invoke(billing, ["bills", "why", "acme", "INV-2026-000001"])

    april = "S-1/fee/recurring/2026-04-01 of INV-2026-000001 decreased, 30.00 -> 15.00"
    may = "S-1/fee/recurring/2026-05-01 of INV-2026-000002 withdrawn, 30.00 -> 0.00"
    assert credit.output.splitlines() == [
        f"line 1: {april}; quantity 1 -> 1, events 0 -> 0",
        "    change 2026-04-16: unknown -> cancelled",
        f"line 2: {may}; quantity 1 -> 0, events 0 -> 0",
        "    change 2026-04-16: unknown -> cancelled",
    ]
    assert first.output == "INV-2026-000001 corrects nothing\n"


def test_an_approved_bill_run_is_for_what_was_shown(database_url: str, tmp_path: Path) -> None:
    """What is approved on 3 April is issued; the decision stands in the log of decisions."""
    installation = installation_below(tmp_path, database_url)
    story = STORIES / "a_bill_run_waits_for_approval" / "given"
    simulate(installation, story, dt.date(2026, 4, 2), tmp_path / "out")

    waiting = preview_bill_day(installation, "acme", dt.date(2026, 4, 1), NOON)

    assert waiting.amount == Decimal(30)
    assert waiting.accounts.select(pl.col("way")).to_series().to_list() == ["post"]
