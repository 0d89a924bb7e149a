"""Dagster's event log: a plan written at once reads as one written event by event."""

import time
from collections.abc import Iterator

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationPlanned,
)
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
    DagsterEventType,
)
from dagster._core.events.log import EventLogEntry
from dagster_postgres import PostgresEventLogStorage

from billing_pipeline.books.database import open_engine
from billing_pipeline.orchestration.event_log import PlannedAtOnceEventLog

pytestmark = [pytest.mark.postgres, pytest.mark.dagster]

DAYS = ("2026-09-01", "2026-09-02", "2026-09-03")
ASSETS = (dg.AssetKey("charges"), dg.AssetKey("invoices"))
CHECK = dg.AssetCheckKey(ASSETS[1], "documents_add_up")


@pytest.fixture
def log(database_url: str) -> Iterator[PlannedAtOnceEventLog]:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("create schema dagster"))
    engine.dispose()
    url = engine.url.set(drivername="postgresql+psycopg2").update_query_dict(
        {"options": "-csearch_path=dagster"}
    )
    storage = PlannedAtOnceEventLog.from_config_value(
        None, {"postgres_url": url.render_as_string(hide_password=False)}
    )
    yield storage
    storage.dispose()


def plan_of(run_id: str) -> list[EventLogEntry]:
    """What Dagster plans for a run: every asset on every day, and a check."""
    planned = [
        DagsterEvent.build_asset_materialization_planned_event(
            "bill_run", key.to_user_string(), AssetMaterializationPlannedData(key, day, None)
        )
        for key in ASSETS
        for day in DAYS
    ]
    check = DagsterEvent(
        event_type_value=DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value,
        job_name="bill_run",
        event_specific_data=AssetCheckEvaluationPlanned(
            asset_key=CHECK.asset_key, check_name=CHECK.name
        ),
    )
    return [
        EventLogEntry(  # type: ignore[no-untyped-call]
            error_info=None,
            user_message="",
            level=10,
            run_id=run_id,
            timestamp=time.time(),
            dagster_event=event,
        )
        for event in (*planned, check)
    ]


def seen(log: PlannedAtOnceEventLog, run_id: str) -> tuple[list[object], ...]:
    """What the UI and the daemon ask of a planned run."""
    records = log.get_records_for_run(run_id).records
    events = [record.event_log_entry.get_dagster_event() for record in records]
    checks = log.get_asset_check_execution_history(CHECK, limit=1)
    return (
        [(event.event_type, event.asset_key, event.partition) for event in events],
        [
            info.run_id if (info := log.get_latest_planned_materialization_info(key, day)) else None
            for key in ASSETS
            for day in DAYS
        ],
        [record.asset_entry.last_run_id for record in log.get_asset_records(ASSETS)],
        [(check.run_id, check.status.value) for check in checks],
    )


def test_a_plan_written_at_once_reads_as_one_written_event_by_event(
    log: PlannedAtOnceEventLog,
) -> None:
    PostgresEventLogStorage.store_event_batch(log, plan_of("run"))
    one_by_one = seen(log, "run")
    log.wipe()

    log.store_event_batch(plan_of("run"))

    assert seen(log, "run") == one_by_one
    # With six planned days and a check the library's own answer is not an empty one.
    events, *_ = one_by_one
    assert len(events) == len(ASSETS) * len(DAYS) + 1
