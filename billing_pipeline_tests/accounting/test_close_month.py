"""Closing a month in the books: what is refused, what a second closing adds, what comes late."""

import datetime as dt
import shutil
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from click.testing import CliRunner

from billing_pipeline.accounting.periods import PeriodRefused, monthly_periods, with_state
from billing_pipeline.books import due, journal, periods
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.cli import billing
from billing_pipeline.definitions import defs
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.simulate import catch_up, simulate
from billing_pipeline.orchestration.steps.close_month import (
    change_period,
    close_month,
    month_to_close,
    read_periods,
)
from billing_pipeline.orchestration.steps.compute import compute_bill_day, keep_charges
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.issue import issue_bill_day

pytestmark = [pytest.mark.postgres, pytest.mark.scenario]

STORY = Path(__file__).parents[1] / "scenarios" / "a_month_is_closed_and_corrected" / "given"
JANUARY, FEBRUARY = dt.date(2026, 1, 1), dt.date(2026, 2, 1)
NOON = dt.datetime(2026, 2, 3, 12, tzinfo=dt.UTC)


@pytest.fixture
def installation(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    """The story as it stands on 3 February, with January still open."""
    monkeypatch.setenv("BILLING_HOME", str(tmp_path))
    monkeypatch.setenv("BILLING_DATABASE_URL", database_url)
    story = tmp_path / "story"
    shutil.copytree(STORY, story)
    (story / "closings.csv").unlink()
    made = Installation.from_environment()
    simulate(made, story, dt.date(2026, 2, 3), tmp_path / "out")
    return made


def with_tenant_yaml(installation: Installation, more: str) -> None:
    folder = installation.home / "story" / "acme"
    with (folder / "tenant.yaml").open("a") as document:
        document.write(more)
    shutil.rmtree(installation.home / "story" / "acme@2026-03-10")
    apply_folders(
        installation,
        read_folders(installation.home / "story"),
        applied_at=NOON,
        applied_by="test",
    )


def close(installation: Installation, month: dt.date = JANUARY) -> dict[str, int]:
    return close_month(
        installation, read_facts(installation, "acme"), month, closed_by="ann"
    ).booked


def entries(installation: Installation, *rules: str) -> list[tuple[object, ...]]:
    with tenant_scope(installation.engine, "acme") as connection:
        booked = journal.read_journal(connection, "acme")
    chosen = booked.filter(pl.col("posting_rule").is_in(rules))
    return chosen.select("source_key", "role", "amount_minor").rows()


def test_a_month_whose_bill_days_are_not_completed_stays_open(installation: Installation) -> None:
    close(installation)
    with installation_scope(installation.engine) as connection:
        due.plan_bill_days(connection, dt.datetime(2026, 2, 20, 12, tzinfo=dt.UTC))

    with pytest.raises(PeriodRefused, match="bill day 2026-02-04 of acme is not completed"):
        close(installation, FEBRUARY)

    assert read_periods(installation, "acme")["state"].to_list() == ["closed", "open"]


def test_a_month_is_closed_once_and_the_ones_before_it_first(installation: Installation) -> None:
    assert close(installation) == {"reversal": 1, "revenue_accrual": 1, "revenue_release": 1}

    with pytest.raises(PeriodRefused, match="is closed and cannot become closed"):
        close(installation)


def test_a_month_reopened_and_closed_again_books_the_difference(
    installation: Installation,
) -> None:
    close(installation)
    change_period(installation, "acme", JANUARY, "open", changed_by="ann")

    assert close(installation) == {}
    assert entries(installation, "revenue_accrual") == [
        ("2026-01/USD", "accrued_revenue", 500),
        ("2026-01/USD", "revenue", -500),
    ]


def test_a_price_mended_before_the_second_closing_changes_the_accrual(
    installation: Installation,
) -> None:
    close(installation)
    change_period(installation, "acme", JANUARY, "open", changed_by="ann")
    plans = installation.home / "story" / "acme" / "plans.yaml"
    plans.write_text(plans.read_text().replace("amount: 0.05", "amount: 0.06"))
    with_tenant_yaml(installation, "")
    catch_up(installation, NOON)

    # 100 minutes at 0.06 are 6.00: 1.00 more, and taken back on 1 February.
    assert close(installation) == {"reversal": 1, "revenue_accrual": 1}
    assert entries(installation, "revenue_accrual")[2:] == [
        ("2026-01/USD#2", "accrued_revenue", 100),
        ("2026-01/USD#2", "revenue", -100),
    ]


def test_a_locked_month_stays_locked(installation: Installation) -> None:
    close(installation)
    change_period(installation, "acme", JANUARY, "locked", changed_by="ann")

    with pytest.raises(PeriodRefused, match="is locked and cannot become open"):
        change_period(installation, "acme", JANUARY, "open", changed_by="ann")


def test_a_document_of_a_closed_month_goes_into_the_open_one_and_says_so(
    installation: Installation,
) -> None:
    with tenant_scope(installation.engine, "acme") as connection:
        shut = with_state(monthly_periods(FEBRUARY, 2), FEBRUARY, "closed")
        periods.keep_periods(connection, "acme", shut, changed_by="ann")
        due.plan_bill_days(connection, dt.datetime(2026, 2, 17, tzinfo=dt.UTC))
    facts = read_facts(installation, "acme")
    day = dt.date(2026, 2, 16)
    keep_charges(installation, "acme", day, compute_bill_day(installation, facts, day))
    issue_bill_day(installation, facts, day, NOON)

    with tenant_scope(installation.engine, "acme") as connection:
        late = journal.read_journal(connection, "acme", booked_on=day)
    assert late.select("booked_date", "belongs_to").unique().rows() == [(dt.date(2026, 3, 1), day)]
    assert late["narration"].str.contains("belongs to 2026-02-16").all()


def test_what_a_tenant_of_the_company_supplies_is_booked_on_both_sides(
    installation: Installation,
) -> None:
    supplier = installation.home / "story" / "centre"
    supplier.mkdir()
    own = (installation.home / "story" / "acme" / "tenant.yaml").read_text()
    roles = ", intercompany_receivable: '1300', intercompany_revenue: '4500'}"
    (supplier / "tenant.yaml").write_text(
        own.replace("key: acme", "key: centre").replace(', accrued_revenue: "1250"}', roles)
    )
    acme = installation.home / "story" / "acme" / "tenant.yaml"
    acme.write_text(own.replace("}", ", intercompany_cost: '5500', intercompany_payable: '2300'}"))
    supply = "intercompany: [{supplier: centre, product: access, percent_of_revenue: 40}]\n"
    with_tenant_yaml(installation, supply)

    # 31.00 of access were invoiced in January: 40 % are 12.40.
    assert close(installation)["intercompany"] == 2

    assert entries(installation, "intercompany") == [
        ("centre/2026-01/USD", "intercompany_cost", 1240),
        ("centre/2026-01/USD", "intercompany_payable", -1240),
    ]
    with tenant_scope(installation.engine, "centre") as connection:
        other = journal.read_journal(connection, "centre").select("role", "amount_minor").rows()
    assert other == [("intercompany_receivable", 1240), ("intercompany_revenue", -1240)]


@pytest.mark.usefixtures("installation")
def test_the_command_closes_lists_locks_and_refuses() -> None:
    run = CliRunner()

    closed = run.invoke(billing, ["period", "close", "acme", "2026-01", "--by", "ann"])
    listed = run.invoke(billing, ["period", "list", "acme"])
    locked = run.invoke(billing, ["period", "lock", "acme", "2026-01", "--by", "ann"])
    wrong = run.invoke(billing, ["period", "close", "acme", "January", "--by", "ann"])

    assert "2026-01 of acme is closed" in closed.output
    assert listed.output.splitlines() == ["2026-01  closed", "2026-02  open"]
    assert "2026-01 of acme is locked" in locked.output
    assert "'January' is no month; write it as 2026-01" in wrong.output


def test_the_asset_closes_a_month_that_is_due(installation: Installation) -> None:
    with_tenant_yaml(installation, "month_end: {close_on_day: 3}\n")
    assert month_to_close(installation, "acme", NOON) == JANUARY
    assert month_to_close(installation, "acme", NOON - dt.timedelta(days=1)) is None

    with dg.DagsterInstance.ephemeral() as instance:
        add_tenants(instance, ["acme"])
        key = dg.MultiPartitionKey({"month": "2026-01-01", "tenant": "acme"})
        result = defs.resolve_job_def("close_month").execute_in_process(
            instance=instance, partition_key=key
        )

    assert result.success
    assert month_to_close(installation, "acme", NOON) is None
