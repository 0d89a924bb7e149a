"""Three years of many tenants: do ticks, due tables and the asset page stay quick?

History is written straight into the tables, as billing it would take days: due tables and
manifest for every tenant and day, and a copy of one real materialization for every partition of
every asset of a bill run.
"""

import datetime as dt
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import dagster as dg
import sqlalchemy as sa

from billing_pipeline.bench.contest import Clock, NotRight
from billing_pipeline.bench.installations import own_installation
from billing_pipeline.bench.small_days import apply_brands
from billing_pipeline.books import due, manifest
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.instance import open_instance
from billing_pipeline.orchestration.partitions import FIRST_DAY, add_tenants, tenant_day_key
from billing_pipeline.orchestration.resources import BillingInstallation

_PATIENCE_S = 180
_BILLED = ("charges", "invoices", "journal_entries", "invoice_documents", "accounting_handoff")

# ruff: noqa: S608 - statements of constants
_DAYS = "generate_series(:first, :last, interval '1 day') as day"
_FRAMES = "unnest(array['mediated_usage', 'rated_usage', 'charges', 'billed_accounts']) as frame"
_HISTORY = (
    f"""insert into rating_days (tenant_key, usage_day, touched, rated)
    select tenant_key, day, 1, 1 from tenants, {_DAYS}""",
    f"""insert into usage_days (tenant_key, usage_day, touched, mediated)
    select 'group', day, 1, 1 from {_DAYS}""",
    f"""insert into bill_days (tenant_key, bill_day, due_at, state, completed_at, invoices)
    select tenant_key, day, day, 'completed', day, 0 from tenants, {_DAYS}""",
    f"""insert into lake_partitions
        (tenant_key, frame, partition_day, chunk, version, path, rows, bytes)
    select tenant_key, frame, day, 'all', 1, frame || tenant_key || day, 100, 5000
    from tenants, {_DAYS}, {_FRAMES}""",
)
_EVENTS = """
    insert into dagster.event_logs
        (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
    select one.run_id, replace(one.event, :own, day::date || '|' || tenant_key),
        one.dagster_event_type, one.timestamp, one.step_key, one.asset_key,
        day::date || '|' || tenant_key
    from (
        select * from dagster.event_logs where partition = :own and asset_key = :asset limit 1
    ) as one, public.tenants, generate_series(:first, :last, interval '1 day') as day
"""
_PAGE = """query($path: [String!]!) {
  assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
    partitionStats { numMaterialized numPartitions }
    assetPartitionStatuses { ... on MultiPartitionStatuses { ranges {
      primaryDimStartKey primaryDimEndKey
      secondaryDim { ... on DefaultPartitionStatuses { materializedPartitions } }
    } } }
  } }
}"""


def run(folder: Path, scratch: Path, clock: Clock, tenants: str) -> None:
    """Fill an installation, then measure what people and the daemon ask of it."""
    del folder
    first, last = dt.date.fromisoformat(FIRST_DAY), utc_now().date() - dt.timedelta(days=1)
    brands = [f"brand{number:02}" for number in range(int(tenants))]
    with own_installation() as installation:
        apply_brands(installation, scratch / "tenants", brands)
        instance = open_instance(installation)
        add_tenants(instance, brands)
        with clock.phase("fill"):
            _fill(installation, instance, brands[0], first, last)
        clock.counts["partitions"] = len(brands) * ((last - first).days + 1)
        _measure_ticks(installation, instance, clock)
        _measure_pages(clock)
        instance.dispose()


def _fill(
    installation: Installation,
    instance: dg.DagsterInstance,
    brand: str,
    first: dt.date,
    last: dt.date,
) -> None:
    own = tenant_day_key(brand, first - dt.timedelta(days=1))
    for asset in ("rated_usage", *_BILLED):
        instance.report_runless_asset_event(
            dg.AssetMaterialization(asset, partition=own, metadata={"dagster/row_count": 100})
        )
    span = {"first": first, "last": last}
    with installation.engine.begin() as connection:
        for statement in _HISTORY:
            connection.execute(sa.text(statement), span)
        for asset in ("rated_usage", *_BILLED):
            key = {"own": own, "asset": json.dumps([asset])}
            connection.execute(sa.text(_EVENTS), span | key)
        connection.execute(sa.text("delete from dagster.event_logs where partition = :own"),
                           {"own": own})  # fmt: skip
    with installation.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as every:
        every.execute(sa.text("analyze"))


def _measure_ticks(installation: Installation, instance: dg.DagsterInstance, clock: Clock) -> None:
    from billing_pipeline.definitions import defs  # noqa: PLC0415 - what the code server loaded

    billing = {"billing": BillingInstallation()}
    for sensor in defs.sensors or []:
        if isinstance(sensor, dg.SensorDefinition) and not isinstance(
            sensor, dg.RunStatusSensorDefinition
        ):
            with dg.build_sensor_context(instance=instance, resources=billing) as context:
                for which in ("first", "again"):
                    with clock.phase(f"sensor {sensor.name}, {which}"):
                        sensor.evaluate_tick(context)
    for schedule in defs.schedules or []:
        if isinstance(schedule, dg.ScheduleDefinition):
            with (
                dg.build_schedule_context(
                    instance=instance, scheduled_execution_time=utc_now(), resources=billing
                ) as at,
                clock.phase(f"schedule {schedule.name}"),
            ):
                schedule.evaluate_tick(at)
    with installation_scope(installation.engine) as connection:
        with clock.phase("due: stale days"):
            due.stale_usage_days(connection)
            due.stale_rating_days(connection)
        with clock.phase("due: plan and read bill days"):
            due.plan_bill_days(connection, utc_now())
            due.due_bill_days(connection, limit=2_000)
        with clock.phase("manifest: a tenant's three years"):
            found = manifest.partition_paths(
                connection, layout.RATED_USAGE, "brand00", dt.date(2024, 1, 1), dt.date(2030, 1, 1)
            )
    if found.is_empty():
        raise NotRight("the manifest of the filled installation is empty")


def _measure_pages(clock: Clock) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port)]
    command += ["-m", "billing_pipeline.definitions"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        for asset in ("rated_usage", "invoices"):
            for which in ("first", "again"):
                with clock.phase(f"asset page {asset}, {which}"):
                    answer = _asked(port, _PAGE, {"path": [asset]})
                statistics = answer["data"]["assetNodeOrError"]["partitionStats"]
                clock.counts[f"materialized {asset}"] = statistics["numMaterialized"]
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            _asked(port, "{ version }", {})
        except OSError:
            time.sleep(1)
        else:
            return
    raise NotRight(f"the UI did not answer within {_PATIENCE_S} s")


def _asked(port: int, query: str, variables: dict[str, object]) -> dict[str, dict]:  # type: ignore[type-arg]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310 - our own
        return json.load(answer)  # type: ignore[no-any-return]
