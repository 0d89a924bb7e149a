"""The same code on Celery workers with a lake in an object store: other instance, same bytes."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import s3fs
import yaml
from moto.server import ThreadedMotoServer

from billing_pipeline.books import manifest
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.days import EVER
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.instance import STORAGE_VARIABLE, prepare_dagster_home
from billing_pipeline.orchestration.step_workers import STEP_WORKERS
from billing_pipeline.orchestration.steps.rate import TenantRater
from billing_pipeline.rating import shards
from billing_pipeline_tests.orchestration.running import (
    BILLING,
    CHECKOUT,
    STORY,
    apply_story,
    environment_of,
    free_port,
    is_rated,
    running,
    wait_until,
)

TWENTY_ACCOUNTS = STORY.parents[1] / "late_changes_in_both_directions" / "given" / "acme"
EVENTS_PER_SHARD = 8
SMALL_SHARDS = (
    "from billing_pipeline.rating import shards; from celery.__main__ import main; "
    f"shards.EVENTS_PER_SHARD = {EVENTS_PER_SHARD}; main()"
)
REDIS = shutil.which("redis-server")
WORKERS = ("first", "second")
DEPLOY = CHECKOUT / "deploy"


def test_the_celery_instance_differs_only_in_its_launcher() -> None:
    shipped = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text())
    celery = yaml.safe_load((DEPLOY / "celery" / "dagster.yaml").read_text())

    launcher = celery.pop("run_launcher")

    assert celery == shipped
    assert launcher["class"] == "CeleryRunLauncher"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Environment of a bucket on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, text in address.items():
        monkeypatch.setenv(name, text)
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir("billing")
    urls = {
        f"BILLING_{name}_URL": f"s3://billing/{name.lower()}"
        for name in ("LAKE", "LANDING", "ARCHIVE", "DOCUMENTS")
    }
    yield address | urls
    s3fs.S3FileSystem().rm("billing", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture
def environment(
    store: dict[str, str], tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """One Postgres, one bucket, one broker, and the instance of `deploy/celery`."""
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copyfile(DEPLOY / "celery" / "dagster.yaml", home / "dagster.yaml")
    broker = f"redis://127.0.0.1:{free_port()}"
    own = environment_of(tmp_path, database_url) | store
    own |= {
        "DAGSTER_HOME": str(home),
        "BILLING_CELERY_BROKER": f"{broker}/0",
        "BILLING_CELERY_BACKEND": f"{broker}/1",
    }
    for variable in ("DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE", STORAGE_VARIABLE):
        monkeypatch.setenv(variable, own.get(variable, ""))
    prepare_dagster_home(Installation.from_environment(own))
    return own | {STORAGE_VARIABLE: os.environ[STORAGE_VARIABLE]}


def worker(name: str, environment: dict[str, str]) -> list[str]:
    addresses = [
        *("-b", environment["BILLING_CELERY_BROKER"]),
        *("--result-backend", environment["BILLING_CELERY_BACKEND"]),
    ]
    chosen = ["-Q", "dagster", "-c", "1", "--prefetch-multiplier", "1", "-n", f"{name}@%h"]
    return [
        *(sys.executable, "-c", SMALL_SHARDS, *addresses),
        *("-A", "dagster_celery.app", "worker", *chosen, "--loglevel", "INFO"),
    ]


@pytest.mark.slow
@pytest.mark.dagster
@pytest.mark.postgres
@pytest.mark.skipif(REDIS is None, reason="needs redis-server: apt-get install redis-server")
def test_two_workers_and_a_bucket_rate_the_same_bytes_as_one_process(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs on workers first, then the shards of one day on both of them."""
    installation = Installation.from_environment(environment)
    shutil.copytree(TWENTY_ACCOUNTS, tmp_path / "tenants" / "acme")
    apply_story(environment, tmp_path / "tenants")
    (upload,) = (tmp_path / "tenants" / "acme" / "usage").rglob("calls_jan.csv")
    s3fs.S3FileSystem().put_file(str(upload), f"billing/landing/acme/calls/{upload.name}")
    redis_port = environment["BILLING_CELERY_BROKER"].rsplit(":", 1)[1].split("/")[0]

    with ExitStack() as stack:
        broker = [str(REDIS), "--port", redis_port, "--save", "", "--dir", str(tmp_path)]
        stack.enter_context(running(broker, environment, tmp_path / "redis.log"))
        for name in WORKERS:
            log = tmp_path / f"{name}.log"
            stack.enter_context(running(worker(name, environment), environment, log))
        dev = [*BILLING, "dev", "--port", str(free_port())]
        with running(dev, environment, tmp_path / "dev.log"):
            wait_until(lambda: is_rated(installation), "the workers to load, mediate and rate")
        by_runs = rated_parts(installation)
        runs = done_by_workers(tmp_path)
        rate_shards_on_workers(environment, by_runs[0][1], tmp_path / "large-day.json")

    assert rated_parts(installation) == by_runs
    monkeypatch.setattr(shards, "EVENTS_PER_SHARD", EVENTS_PER_SHARD)
    TenantRater(installation, utc_now()).rate_day("acme", by_runs[0][1])
    assert rated_parts(installation) == by_runs
    assert sum(runs) >= 3, "loading, mediating and rating are runs of workers"
    steps = [after - before for before, after in zip(runs, done_by_workers(tmp_path), strict=True)]
    assert sum(steps) == 2 + len([day for _, day in by_runs if day == by_runs[0][1]])
    assert min(steps) > 0, "both workers rated shards"


def done_by_workers(folder: Path) -> list[int]:
    """Tasks that each worker has done."""
    return [(folder / f"{name}.log").read_text().count("succeeded in") for name in WORKERS]


def rate_shards_on_workers(environment: dict[str, str], day: dt.date, config: Path) -> None:
    """Rate one day by the job whose steps go to whoever the environment names."""
    config.write_text(json.dumps({"tenant_key": "acme", "day": day.isoformat()}))
    command = [
        *(sys.executable, "-m", "dagster", "job", "execute"),
        *("-m", "billing_pipeline.definitions", "-j", "rate_large_day", "-c", str(config)),
    ]
    subprocess.run(command, env=environment | {STEP_WORKERS: "celery"}, check=True)


def rated_parts(installation: Installation) -> list[tuple[str, dt.date]]:
    """Days and paths of the rated usage; a part is named by its content."""
    with tenant_scope(installation.engine, "acme") as connection:
        current = manifest.partition_paths(connection, layout.RATED_USAGE, "acme", *EVER)
    return current.select("path", "partition_day").rows()
