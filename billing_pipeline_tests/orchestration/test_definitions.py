"""What Dagster loads: snapshot of the graph, and the traps of the version in use."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from billing_pipeline.definitions import defs

HOUSE = Path(__file__).parents[2]

pytestmark = pytest.mark.dagster


def asset_specs() -> list[dg.AssetSpec]:
    return sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key)


def test_the_graph_is_the_pipeline(snapshot: SnapshotAssertion) -> None:
    graph = {
        spec.key.to_user_string(): {
            "group": spec.group_name,
            "after": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            "owners": list(spec.owners),
            "kinds": sorted(spec.kinds),
            "partitions": type(spec.partitions_def).__name__,
        }
        for spec in asset_specs()
    }

    assert graph == snapshot


def test_jobs_sensors_and_schedules_are_named_by_what_people_do(
    snapshot: SnapshotAssertion,
) -> None:
    repository = defs.get_repository_def()
    names = {
        "jobs": sorted(
            job.name for job in repository.get_all_jobs() if not job.name.startswith("__")
        ),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
        "schedules": sorted(schedule.name for schedule in repository.schedule_defs),
        "checks": sorted(str(key) for key in repository.asset_checks_defs_by_key),
    }

    assert names == snapshot


def test_every_asset_says_what_it_is_and_what_to_do() -> None:
    descriptions = {spec.key: spec.description or "" for spec in asset_specs()}

    assert all(len(text) > 40 for text in descriptions.values()), descriptions


def test_a_span_is_one_run_for_every_asset() -> None:
    repository = defs.get_repository_def()
    policies = {
        spec.key: repository.asset_graph.get(spec.key).backfill_policy for spec in asset_specs()
    }

    assert all(
        policy is not None and policy.max_partitions_per_run is None for policy in policies.values()
    )


def test_no_asset_decides_by_itself_when_money_moves() -> None:
    assert [spec.key for spec in asset_specs() if spec.automation_condition] == []


def test_steps_run_in_their_runs_own_process() -> None:
    assert defs.executor is dg.in_process_executor


def test_the_instance_sets_no_default_pool_limit() -> None:
    settings = yaml.safe_load((HOUSE / "dagster.yaml").read_text())

    assert "pools" not in settings["concurrency"]
    assert settings["telemetry"] == settings["nux"] == {"enabled": False}
    assert settings["run_monitoring"]["max_runtime_seconds"] > 0


def test_definitions_load_in_a_fresh_process_without_a_warning() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import billing_pipeline.definitions"],
        capture_output=True,
        text=True,
        check=False,
        cwd=HOUSE,
    )

    assert loaded.returncode == 0, loaded.stderr
    assert "Warning" not in loaded.stderr
