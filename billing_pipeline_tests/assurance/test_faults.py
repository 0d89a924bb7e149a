"""Every control finds the fault it is there for, through the pipeline; clean books say nothing.

What is mended closes; what blocks one account stops nobody else.
"""

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from billing_pipeline.assurance import run
from billing_pipeline.assurance.catalogue import CONTROLS
from billing_pipeline.assurance.checks_of_books import CHECKS
from billing_pipeline.assurance.control import Control
from billing_pipeline.assurance.findings import findings
from billing_pipeline.assurance.run import Run
from billing_pipeline.books import due, invoices
from billing_pipeline.books.findings import read_findings
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.orchestration.assurance import read_all_findings
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import simulate
from billing_pipeline.orchestration.steps import assure
from billing_pipeline.orchestration.steps.assure import AssuredTenant, assure_tenant
from billing_pipeline.orchestration.steps.book import hand_off_journal
from billing_pipeline.orchestration.steps.compute import compute_bill_day, keep_charges
from billing_pipeline.orchestration.steps.facts import read_facts, read_facts_anew
from billing_pipeline.orchestration.steps.issue import StoppedByControl, issue_bill_day
from billing_pipeline.orchestration.steps.report import gather_report
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline_tests.assurance.faults import (
    DOUBLED,
    FAULTS,
    FEBRUARY,
    NOON,
    ONE_DAY,
    controls,
    parquet_tampered_with,
)

pytestmark = [pytest.mark.postgres, pytest.mark.scenario]

STORY = Path(__file__).parent / "story"


class OneTransaction:
    """The books in one transaction: what is committed within goes when it is rolled back."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction, as whoever is asked for one by an engine sees it."""
        with self._connection.begin_nested():
            yield self._connection


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, module_database_url: str
) -> Iterator[Installation]:
    """The story: January is billed and handed over, 1 February is computed."""
    home = tmp_path_factory.mktemp("played")
    installation = installation_below(home / "now", module_database_url)
    installation.home.mkdir()
    simulate(installation, STORY, FEBRUARY - ONE_DAY, home / "out")
    facts = read_facts(installation, "acme")
    hand_off_journal(installation, facts.tenant, "journal_csv", FEBRUARY - ONE_DAY, NOON)
    with installation_scope(installation.engine) as connection:
        due.plan_bill_days(connection, NOON)
    keep_charges(installation, "acme", FEBRUARY, compute_bill_day(installation, facts, FEBRUARY))
    yield installation
    installation.engine.dispose()


@pytest.fixture
def installation(played: Installation, tmp_path: Path) -> Iterator[Installation]:
    """The story to break: its books roll back, its folders are put back as they were."""
    shutil.copytree(played.home, tmp_path / "kept")
    broken = installation_below(played.home, played.database_url)
    with played.engine.connect() as connection, connection.begin() as everything:
        broken.__dict__["engine"] = OneTransaction(connection)
        yield broken
        everything.rollback()
    shutil.rmtree(played.home)
    shutil.copytree(tmp_path / "kept", played.home)


def controls_say(installation: Installation, day: dt.date = FEBRUARY) -> AssuredTenant:
    """Ask as the asset `controls_before_issue` does."""
    return assure_tenant(installation, read_facts_anew(installation, "acme"), [day], NOON)


def test_every_control_has_a_fault_that_it_must_catch() -> None:
    assert controls(FAULTS.values()) == {control.name for control in (*CONTROLS, *CHECKS)}


@pytest.mark.parametrize("rows_at_once", [assure.ROWS_AT_ONCE, 1])
def test_nothing_is_found_where_nothing_is_wrong(
    installation: Installation, rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assure, "ROWS_AT_ONCE", rows_at_once)

    said = controls_say(installation)

    assert said.found.rows() == []
    assert len(said.controls) + len(said.checks) == len(CONTROLS) + len(CHECKS)


def test_the_report_says_what_was_earned_on_a_destination_by_supplier(
    played: Installation,
) -> None:
    facts = read_facts(played, "acme")

    report = gather_report(played, facts, FEBRUARY.replace(month=1))

    # 102 minutes at 0.06 and 12 calls at 0.05 = 6.72; A-2: 2 minutes and a call = 0.17. The
    # carrier takes 0.02 for each of the 104 minutes. A-3's bundle has no supplier, so no margin.
    assert report.margins.select("product_key", "supplier", "rate_name", "currency").rows() == [
        ("calls", "carrier", "United Kingdom", "GBP")
    ]
    assert report.margins.select("events", "revenue", "cost", "margin").rows() == [
        (13, Decimal("6.89"), Decimal("2.08"), Decimal("4.81"))
    ]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught_by_its_controls(installation: Installation, name: str) -> None:
    fault = FAULTS[name]

    fault.put_in(installation)

    assert set(controls_say(installation, fault.day).found["control"]) == fault.caught_by


BROUGHT = Run(
    ("no_thursday",),
    lambda facts, _: findings(
        facts.documents.filter(facts.documents["bill_day"].dt.weekday() == 4),
        control="no_thursday",
        severity="warn",
        subject=pl.col("account_key"),
        message=pl.lit("was billed on a Thursday."),
    ),
    declared=(Control("no_thursday", "sales", "warn", "nobody is billed on a Thursday"),),
)


def test_a_package_brings_a_control_of_its_own(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint("thursday", f"{__name__}:BROUGHT", run.GROUP)
    monkeypatch.setattr(run, "entry_points", EntryPoints([entry]).select)

    found = controls_say(installation).found

    # 1 January 2026 was a Thursday.
    assert found.select("control", "subject").rows() == [
        ("no_thursday", f"A-{number}") for number in (1, 2, 3, 4)
    ]


def issue(installation: Installation) -> None:
    issue_bill_day(installation, read_facts(installation, "acme"), FEBRUARY, NOON)


def billed_accounts(installation: Installation) -> list[str]:
    with tenant_scope(installation.engine, "acme") as connection:
        documents = invoices.read_invoices(connection, "acme", bill_day=FEBRUARY)
    return documents["account_key"].sort().to_list()


def state_of(installation: Installation, control: str) -> set[str]:
    with installation_scope(installation.engine) as connection:
        found = read_findings(connection)
    return set(found.filter(found["control"] == control)["state"])


def test_a_doubled_rate_stops_the_accounts_it_hits_until_it_is_mended(
    installation: Installation,
) -> None:
    DOUBLED(installation)
    controls_say(installation)

    issue(installation)

    # have metered calls; the bundle's charges have a control of their own.
    assert billed_accounts(installation) == ["A-3", "A-4"]
    assert state_of(installation, "account_held") == {"open"}
    open_ones = read_all_findings(installation, "acme", "open")
    owners = dict(open_ones.select("control", "owner").rows())
    assert owners == {"rederived_totals": "accounting", "account_held": None}

    facts = read_facts(installation, "acme")
    keep_charges(installation, "acme", FEBRUARY, compute_bill_day(installation, facts, FEBRUARY))
    controls_say(installation)

    assert state_of(installation, "rederived_totals") == {"resolved"}


def test_what_is_mended_before_the_issue_is_billed(installation: Installation) -> None:
    DOUBLED(installation)
    controls_say(installation)
    facts = read_facts(installation, "acme")
    keep_charges(installation, "acme", FEBRUARY, compute_bill_day(installation, facts, FEBRUARY))
    controls_say(installation)

    issue(installation)

    assert billed_accounts(installation) == ["A-1", "A-2", "A-3", "A-4"]


def test_a_fault_of_the_whole_tenant_issues_nothing(installation: Installation) -> None:
    parquet_tampered_with(installation)
    controls_say(installation)

    with pytest.raises(StoppedByControl, match="lake_part rated_usage/tenant=acme"):
        issue(installation)

    assert billed_accounts(installation) == []


def test_a_finding_a_person_lets_stand_stops_nobody(installation: Installation) -> None:
    DOUBLED(installation)
    for subject in controls_say(installation).found["subject"]:
        with tenant_scope(installation.engine, "acme") as connection:
            accept(connection, subject)

    issue(installation)

    assert billed_accounts(installation) == ["A-1", "A-2", "A-3", "A-4"]


def accept(connection: sa.Connection, subject: str) -> None:
    connection.execute(
        sa.text(
            "update findings set state = 'accepted', decided_by = 'ann', decision_note = 'agreed' "
            "where subject = :subject"
        ),
        {"subject": subject},
    )
