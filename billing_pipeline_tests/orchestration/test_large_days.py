"""A usage day on several workers: the bytes of one."""

import datetime as dt
import shutil
from itertools import count
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from billing_pipeline.books import catalog, due, manifest
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.definitions import defs
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.days import EVER, ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.sensors import stale_rating_days
from billing_pipeline.orchestration.simulate import catch_up
from billing_pipeline.orchestration.steps.rate import TenantRater
from billing_pipeline.orchestration.steps.register import register_landed_files
from billing_pipeline.rating import shards

pytestmark = [pytest.mark.dagster, pytest.mark.postgres]

STORY = Path(__file__).parents[1] / "scenarios" / "late_changes_in_both_directions" / "given"
NOW = dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def installation(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    """Twenty accounts, their usage rated by one worker."""
    monkeypatch.setenv("BILLING_HOME", str(tmp_path))
    monkeypatch.setenv("BILLING_DATABASE_URL", database_url)
    made = Installation.from_environment()
    shutil.copytree(STORY / "acme", tmp_path / "tenants" / "acme")
    shutil.rmtree(tmp_path / "tenants" / "acme" / "usage")
    applied_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    apply_folders(
        made, read_folders(tmp_path / "tenants"), applied_at=applied_at, applied_by="test"
    )
    for upload in (STORY / "acme" / "usage").rglob("*.*"):
        feed = tmp_path / "landing" / "acme" / upload.relative_to(STORY / "acme" / "usage").parts[0]
        feed.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(upload, feed / upload.name)
    register_landed_files(made, utc_now() + ONE_DAY, dt.date(2026, 12, 31))
    catch_up(made, NOW)
    return made


def rated_parts(installation: Installation) -> pl.DataFrame:
    with tenant_scope(installation.engine, "acme") as connection:
        return manifest.partition_paths(connection, layout.RATED_USAGE, "acme", *EVER)


def rated_rows(installation: Installation) -> pl.DataFrame:
    paths = [installation.lake.locate(path) for path in rated_parts(installation)["path"]]
    return pl.concat([pl.read_parquet(path) for path in paths]).sort("file_key", "record_number")


def touch(installation: Installation, day: dt.date) -> None:
    with tenant_scope(installation.engine, "acme") as connection:
        due.mark_rating_days_stale(connection, "acme", day, day + ONE_DAY)


def test_a_day_split_by_account_over_workers_has_the_bytes_of_one_worker(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rated_rows(installation)
    largest = rated_parts(installation).group_by("partition_day").agg(pl.col("rows").sum())
    day, events = largest.sort("rows", "partition_day").row(-1)
    assert events > 4
    monkeypatch.setattr(shards, "EVENTS_PER_SHARD", events // 2)
    TenantRater(installation, NOW).rate_day("acme", day)
    by_one = rated_parts(installation)["path"].to_list()
    touch(installation, day)

    with dg.DagsterInstance.ephemeral() as instance:
        add_tenants(instance, ["acme"])
        context = dg.build_sensor_context(
            instance=instance, resources={"billing": BillingInstallation()}
        )
        (request,) = stale_rating_days.evaluate_tick(context).run_requests or []
        assert request.job_name == "rate_large_day"
        split = defs.resolve_job_def("rate_large_day").execute_in_process(
            instance=instance, run_config=request.run_config, tags=request.tags
        )
        (shown,) = instance.fetch_materializations(dg.AssetKey("rated_usage"), limit=5).records
        by_many = rated_parts(installation)
        touch(installation, day)
        with monkeypatch.context() as patched:
            revisions = count()
            patched.setattr(catalog, "configuration_stamp", lambda _: next(revisions))
            applied_between = defs.resolve_job_def("rate_large_day").execute_in_process(
                instance=instance, run_config=request.run_config, tags=request.tags
            )

    assert split.success
    assert applied_between.success
    assert shown.partition_key == f"{day}|acme"
    assert by_many["path"].to_list() == by_one
    assert by_many.filter(pl.col("partition_day") == day).height > 1, "it was split"
    assert rated_rows(installation).equals(whole)
    assert not list((installation.home / "lake" / "shards").glob("*"))
    with tenant_scope(installation.engine, "acme") as connection:
        assert due.stale_rating_days(connection).is_empty()
