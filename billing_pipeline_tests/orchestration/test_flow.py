"""The pipeline through Dagster on real Postgres: runs, gates, sensors, the schedule."""

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from billing_pipeline.books import due, files, invoices
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.books.sql_files import sql_folder
from billing_pipeline.definitions import defs
from billing_pipeline.orchestration.checks import BEFORE_BOOKING
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.flow import Flow, RunFailed
from billing_pipeline.orchestration.handoff import batches_of, customer_batches_of
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.schedules import daily_bill_runs
from billing_pipeline.orchestration.sensors import (
    stale_rating_days,
    stale_usage_days,
    suspense_changes,
    usage_uploads,
)
from billing_pipeline.orchestration.steps.register import register_landed_files

pytestmark = [pytest.mark.dagster, pytest.mark.postgres]

STORY = Path(__file__).parents[1] / "scenarios" / "twenty_dollars_plus_hundred_minutes" / "given"
APPLIED_AT = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
BILLED_AT = dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC)
LANDED_AT = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
LATER = dt.timedelta(days=3650)


@pytest.fixture
def installation(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """The story's tenant applied, its usage in the landing zone; assets find it all."""
    monkeypatch.setenv("BILLING_HOME", str(tmp_path))
    monkeypatch.setenv("BILLING_DATABASE_URL", database_url)
    for url in ("LAKE", "LANDING", "ARCHIVE", "DOCUMENTS"):
        monkeypatch.delenv(f"BILLING_{url}_URL", raising=False)
    made = Installation.from_environment()
    apply_folders(made, read_folders(STORY), applied_at=APPLIED_AT, applied_by="test")
    feed = tmp_path / "landing" / "acme" / "calls"
    feed.mkdir(parents=True)
    for upload in (STORY / "acme" / "usage" / "calls").rglob("*.*"):
        shutil.copyfile(upload, feed / upload.name)
        os.utime(feed / upload.name, (LANDED_AT.timestamp(), LANDED_AT.timestamp()))
    yield made
    made.engine.dispose()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        add_tenants(ephemeral, ["acme"])
        yield ephemeral


def land(installation: Installation) -> int:
    now = utc_now() + LATER
    return register_landed_files(installation, now, dt.date(2026, 1, 20)).new


def totals(installation: Installation) -> list[int]:
    with tenant_scope(installation.engine, "acme") as connection:
        return invoices.read_invoices(connection, "acme")["total_minor"].to_list()


def test_twenty_dollars_and_hundred_minutes_become_an_invoice_of_25(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    land(installation)
    flow = Flow(installation, instance, defs)

    flow.load_and_rate()
    flow.bill(BILLED_AT)

    assert totals(installation) == [2500]
    # The accounting system knows the customer before it gets the document.
    assert customer_batches_of(installation, "acme").select("customers").rows() == [(1,)]
    assert batches_of(installation, "acme").select("first_entry", "last_entry").rows() == [(1, 1)]
    said = [
        entry.user_message for run in instance.get_runs() for entry in instance.all_logs(run.run_id)
    ]
    assert "acme: 1 of 1 documents are rendered" in said
    checks = instance.get_event_records(
        dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    )
    evaluations = [
        record.event_log_entry.dagster_event.asset_check_evaluation_data
        for record in checks
        if record.event_log_entry.dagster_event
    ]
    assert {check.check_name for check in evaluations} == {
        "nothing_lost_in_decoding",
        "every_file_is_kept_whole",
        "no_file_is_missing",
        "nothing_lost_in_mediation",
        "nothing_lost_in_rating",
        "nobody_is_stopped",
        "documents_add_up",
        "books_agree",
        "nothing_is_found",
    }
    assert all(check.passed for check in evaluations)


def test_the_second_run_does_nothing_twice(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    flow = Flow(installation, instance, defs)
    for _ in range(2):
        land(installation)
        flow.load_and_rate()
        flow.bill(BILLED_AT)

    assert totals(installation) == [2500]
    assert len(instance.get_runs()) == 4


def test_rerunning_a_billed_day_returns_what_it_issued(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    land(installation)
    flow = Flow(installation, instance, defs)
    flow.load_and_rate()
    flow.bill(BILLED_AT)

    again = defs.resolve_job_def("bill_run").execute_in_process(
        instance=instance,
        partition_key=dg.MultiPartitionKey({"day": "2026-02-01", "tenant": "acme"}),
    )

    assert again.success
    assert totals(installation) == [2500]


def test_a_bill_is_refused_while_usage_behind_it_is_stale(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    land(installation)
    flow = Flow(installation, instance, defs)
    flow.load_and_rate()
    with tenant_scope(installation.engine, "acme") as connection:
        due.mark_rating_days_stale(connection, "acme", dt.date(2026, 1, 1), dt.date(2026, 2, 1))

    with pytest.raises(RunFailed, match="usage is not complete"):
        flow.bill(BILLED_AT)

    assert totals(installation) == []
    with installation_scope(installation.engine) as connection:
        assert due.due_bill_days(connection, limit=100)["attempt"].max() == 2


def test_a_bill_is_refused_while_no_usage_is_rated_at_all(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    land(installation)
    flow = Flow(installation, instance, defs)
    with installation_scope(installation.engine) as connection:
        days = files.unloaded_landing_days(connection)
    flow.run_days("load_usage", days)

    with pytest.raises(RunFailed, match="usage is not complete"):
        flow.bill(BILLED_AT)

    assert totals(installation) == []


def test_a_number_nobody_owns_waits_and_is_billed_when_its_owner_is_known(
    installation: Installation, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    without = tmp_path / "without" / "acme"
    shutil.copytree(STORY / "acme", without)
    (without / "service_identifiers.csv").write_text("identifier,subscription_key\n")
    applied_at = APPLIED_AT + dt.timedelta(days=1)
    apply_folders(installation, read_folders(without), applied_at=applied_at, applied_by="test")
    land(installation)
    flow = Flow(installation, instance, defs)
    flow.load_and_rate()
    with installation_scope(installation.engine) as connection:
        assert due.stale_usage_days(connection).is_empty()

    mended_at = APPLIED_AT + dt.timedelta(days=2)
    apply_folders(installation, read_folders(STORY), applied_at=mended_at, applied_by="test")
    flow.load_and_rate()
    flow.bill(BILLED_AT)

    assert totals(installation) == [2500]


def requests(sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    context = dg.build_sensor_context(
        instance=instance, resources={"billing": BillingInstallation()}
    )
    return list(sensor.evaluate_tick(context).run_requests or [])


def test_an_upload_is_registered_once_and_its_day_asked_for_until_it_is_loaded(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    an_hour_ago = (utc_now() - dt.timedelta(hours=1)).timestamp()
    for upload in (installation.home / "landing").rglob("*.*"):
        os.utime(upload, (an_hour_ago, an_hour_ago))
    keys = [[request.run_key for request in requests(usage_uploads, instance)] for _ in range(2)]

    with installation_scope(installation.engine) as connection:
        registered = files.read_files(connection)
    assert registered.height == 1
    assert keys[0] == keys[1]
    assert len(keys[0]) == 1


def test_stale_days_are_asked_for_and_then_no_more(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    land(installation)
    flow = Flow(installation, instance, defs)
    with installation_scope(installation.engine) as connection:
        days = files.unloaded_landing_days(connection)
    flow.run_days("load_usage", days)

    assert len(requests(stale_usage_days, instance)) > 0
    flow.load_and_rate()
    assert requests(stale_usage_days, instance) == []
    assert requests(stale_rating_days, instance) == []


@pytest.mark.usefixtures("installation")
def test_the_schedule_asks_for_every_due_day_once_and_knows_new_tenants(tmp_path: Path) -> None:
    home = tmp_path / "dagster"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=BILLED_AT,
            resources={"billing": BillingInstallation()},
        )
        ticks = [daily_bill_runs.evaluate_tick(context) for _ in range(2)]

        asked = [[request.run_key for request in tick.run_requests or []] for tick in ticks]
        assert asked[0] == asked[1]
        assert len(asked[0]) == 1
        assert list(instance.get_dynamic_partitions("tenant")) == ["acme"]


def test_the_checks_before_booking_exist() -> None:
    names = {path.stem for path in (sql_folder() / "checks").glob("*.sql")}

    assert set(BEFORE_BOOKING) <= names


def test_suspense_is_counted_per_tenant_and_checked_by_age_and_value(
    installation: Installation, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    without = tmp_path / "without" / "acme"
    shutil.copytree(STORY / "acme", without)
    (without / "service_identifiers.csv").write_text("identifier,subscription_key\n")
    tenant = without / "tenant.yaml"
    tenant.write_text(tenant.read_text() + "suspense: {warn_after_days: 0, warn_above: 0.01}\n")
    applied_at = APPLIED_AT + dt.timedelta(days=1)
    apply_folders(installation, read_folders(without), applied_at=applied_at, applied_by="test")
    land(installation)
    Flow(installation, instance, defs).load_and_rate()

    (request,) = requests(suspense_changes, instance)
    counted = defs.resolve_job_def("watch_suspense").execute_in_process(
        instance=instance, tags=request.tags
    )

    assert counted.success
    (made,) = counted.get_asset_materialization_events()
    metadata = made.materialization.metadata
    waiting = metadata["records"].value
    assert isinstance(waiting, int)
    assert waiting > 0
    assert "unknown_identifier" in str(metadata["by_reason"].value)
    (check,) = counted.get_asset_check_evaluations()
    assert check.check_name == "suspense_is_young_and_small"
    assert check.passed


def test_no_run_goes_over_a_day_that_is_done(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    """Late files touch Monday and Friday; Wednesday between them is as it should be."""
    monday, wednesday, friday = (dt.date(2026, 1, day) for day in (5, 7, 9))
    with installation_scope(installation.engine) as connection:
        due.touch_usage_days(connection, "acme", [monday, wednesday, friday])
        due.record_mediated(connection, "acme", wednesday, 1, ["acme"])
        due.record_rated(connection, "acme", wednesday, 1)

    assert len(requests(stale_usage_days, instance)) == 2

    with installation_scope(installation.engine) as connection:
        for day in (monday, friday):
            due.record_mediated(connection, "acme", day, 1, ["acme"])

    assert len(requests(stale_rating_days, instance)) == 2
