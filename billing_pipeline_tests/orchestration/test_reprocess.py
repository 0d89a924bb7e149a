"""A closed month reprocessed: previewed in money, approved, recomputed in one run, corrected."""

import datetime as dt
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from billing_pipeline.books import due, invoices, manifest
from billing_pipeline.books.audit import read_audit_log
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.definitions import defs
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.days import EVER
from billing_pipeline.orchestration.flow import Flow
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.reprocess import (
    CannotReprocess,
    Reason,
    approve_changes,
    next_bill_day,
    preview,
)
from billing_pipeline.orchestration.simulate import bill_due_days, catch_up
from billing_pipeline.orchestration.steps.facts import read_tenant
from billing_pipeline.orchestration.steps.rate import TenantRater
from billing_pipeline.orchestration.steps.register import register_landed_files
from billing_pipeline.orchestration.throwaway import installation_below

pytestmark = [pytest.mark.dagster, pytest.mark.postgres]

STORY = Path(__file__).parents[1] / "scenarios" / "a_corrected_price_is_credited" / "given"
JANUARY = (dt.date(2026, 1, 1), dt.date(2026, 1, 31))
BILLED_AT = dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC)
CORRECTED_AT = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)
REASON = Reason("ann", "ben", "the deck was wrong")


@pytest.fixture(scope="module")
def january(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Path:
    """January billed at 0.05 a minute: 20.00 + 100 x 0.05 = 25.00."""
    home = tmp_path_factory.mktemp("january") / "home"
    made = installation_below(home, module_database_url)
    feed = home / "landing" / "acme" / "calls"
    feed.mkdir(parents=True)
    apply(made, home, "acme", dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC))
    for upload in (STORY / "acme" / "usage" / "calls").rglob("*.*"):
        shutil.copyfile(upload, feed / upload.name)
    register_landed_files(made, utc_now() + dt.timedelta(days=1), dt.date(2026, 1, 20))
    catch_up(made, BILLED_AT)
    bill_due_days(made, BILLED_AT)
    made.engine.dispose()
    return home


@pytest.fixture
def installation(
    january: Path, tmp_path: Path, clone_of_module: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """This test's own copy of what January came to."""
    shutil.copytree(january, tmp_path / "home")
    monkeypatch.setenv("BILLING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BILLING_DATABASE_URL", clone_of_module)
    made = Installation.from_environment()
    yield made
    made.engine.dispose()


@pytest.fixture
def flow(installation: Installation) -> Iterator[Flow]:
    with dg.DagsterInstance.ephemeral() as instance:
        add_tenants(instance, ["acme"])
        yield Flow(installation, instance, defs)


def apply(installation: Installation, home: Path, folder: str, at: dt.datetime) -> None:
    copy = home / f"tenants-{at.date()}" / "acme"
    shutil.copytree(STORY / folder, copy)
    shutil.rmtree(copy / "usage", ignore_errors=True)
    apply_folders(installation, read_folders(copy.parent), applied_at=at, applied_by="test")


def correct_the_price(installation: Installation, home: Path) -> None:
    """The price turns out to have been 0.04 all the time: 1.00 too much was billed."""
    apply(installation, home, "acme@2026-02-10", CORRECTED_AT)


def totals(installation: Installation) -> list[int]:
    with tenant_scope(installation.engine, "acme") as connection:
        issued = invoices.read_invoices(connection, "acme")
    return issued.sort("bill_day")["total_minor"].to_list()


def rated_parts(installation: Installation) -> list[str]:
    """Paths of the rated days; a part is named by its content."""
    with tenant_scope(installation.engine, "acme") as connection:
        return manifest.partition_paths(connection, layout.RATED_USAGE, "acme", *EVER)[
            "path"
        ].to_list()


def test_without_a_change_the_preview_shows_nothing(installation: Installation) -> None:
    shown = preview(installation, "acme", *JANUARY)

    assert shown.changes.is_empty()
    assert shown.total == 0
    assert shown.events > 0


def test_the_preview_shows_each_account_in_money_and_writes_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    correct_the_price(installation, tmp_path)
    before = rated_parts(installation), totals(installation)

    shown = preview(installation, "acme", *JANUARY)

    assert shown.changes.select("before", "after", "difference").rows() == [
        (Decimal(5), Decimal(4), Decimal(-1))
    ]
    assert shown.changes["documents"].to_list() == ["INV-2026-000001"]
    assert "would change by -1.00 USD" in shown.words
    assert (rated_parts(installation), totals(installation)) == before


def test_an_approved_reprocess_is_one_run_and_a_credit_of_what_was_previewed(
    installation: Installation, flow: Flow, tmp_path: Path
) -> None:
    correct_the_price(installation, tmp_path)
    shown = preview(installation, "acme", *JANUARY)

    approved = approve_changes(installation, shown, REASON, CORRECTED_AT)
    flow.rate_span("acme", *JANUARY)
    flow.bill_tenant("acme", CORRECTED_AT + dt.timedelta(days=1))

    assert approved == 1
    assert totals(installation) == [2500, -100]
    assert preview(installation, "acme", *JANUARY).changes.is_empty()
    with installation_scope(installation.engine) as connection:
        log = read_audit_log(connection).filter(actor="ben")
    assert log.select("action", "note").rows() == [("approved", REASON.words)]


def test_approving_twice_bills_once(installation: Installation, flow: Flow, tmp_path: Path) -> None:
    correct_the_price(installation, tmp_path)
    shown = preview(installation, "acme", *JANUARY)

    counts = [approve_changes(installation, shown, REASON, CORRECTED_AT) for _ in range(2)]
    for days in (1, 2):
        flow.rate_span("acme", *JANUARY)
        flow.bill_tenant("acme", CORRECTED_AT + dt.timedelta(days=days))

    assert counts == [1, 0]
    assert totals(installation) == [2500, -100]


def test_one_person_cannot_ask_and_approve(installation: Installation) -> None:
    shown = preview(installation, "acme", *JANUARY)

    with pytest.raises(CannotReprocess, match="somebody else has to approve"):
        approve_changes(installation, shown, Reason("ann", "ann", "x"), CORRECTED_AT)


def test_the_month_in_one_run_has_the_same_bytes_as_day_by_day(
    installation: Installation, flow: Flow, tmp_path: Path
) -> None:
    correct_the_price(installation, tmp_path)
    rater = TenantRater(installation, CORRECTED_AT)
    for offset in range(31):
        rater.rate_day("acme", JANUARY[0] + dt.timedelta(days=offset))
    day_by_day = rated_parts(installation)

    flow.rate_span("acme", *JANUARY)

    assert rated_parts(installation) == day_by_day
    assert len(day_by_day) > 0


def test_nothing_is_previewed_before_the_first_bill(database_url: str, tmp_path: Path) -> None:
    installation = installation_below(tmp_path, database_url)
    apply(installation, tmp_path, "acme", dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC))

    with pytest.raises(CannotReprocess, match="has not been billed yet"):
        preview(installation, "acme", *JANUARY)


def test_days_that_wait_for_mediation_are_named(installation: Installation) -> None:
    with installation_scope(installation.engine) as connection:
        due.touch_usage_days(connection, "acme", [dt.date(2026, 1, 7)])

    with pytest.raises(CannotReprocess, match="2026-01-07"):
        preview(installation, "acme", *JANUARY)


def test_the_preview_stands_in_the_ui_as_an_asset(
    installation: Installation, tmp_path: Path
) -> None:
    correct_the_price(installation, tmp_path)
    days = {"first_day": "2026-01-01", "last_day": "2026-01-31"}

    with dg.DagsterInstance.ephemeral() as instance:
        add_tenants(instance, ["acme"])
        result = defs.resolve_job_def("preview_reprocess").execute_in_process(
            instance=instance,
            partition_key="acme",
            run_config={"ops": {"reprocess_preview": {"config": days}}},
        )

    (made,) = result.asset_materializations_for_node("reprocess_preview")
    assert "would change by -1.00 USD" in str(made.metadata["in words"].value)
    assert "A-1" in str(made.metadata["accounts"].value)


@pytest.mark.parametrize(
    ("hour_utc", "day"),
    [(6, dt.date(2026, 2, 10)), (8, dt.date(2026, 2, 11))],
    ids=["one in the morning in New York", "three in the morning in New York"],
)
def test_what_is_approved_is_on_the_next_bill_hour(
    installation: Installation, hour_utc: int, day: dt.date
) -> None:
    at = dt.datetime(2026, 2, 10, hour_utc, tzinfo=dt.UTC)

    assert next_bill_day(read_tenant(installation, "acme"), at) == day
