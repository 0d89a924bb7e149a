"""Landing zone, archive, lake and documents in an S3-compatible store, with a real server."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from billing_pipeline.books import files, invoices
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.definitions import defs
from billing_pipeline.orchestration import sensors
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.flow import Flow
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.steps.register import register_landed_files

pytestmark = [pytest.mark.dagster, pytest.mark.postgres, pytest.mark.pdf]

STORY = Path(__file__).parents[1] / "scenarios" / "twenty_dollars_plus_hundred_minutes" / "given"
LATER = dt.timedelta(days=3650)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    """An empty bucket `billing` of a server on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    filesystem = s3fs.S3FileSystem()
    filesystem.mkdir("billing")
    yield filesystem
    filesystem.rm("billing", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture
def installation(
    store: s3fs.S3FileSystem, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """The story's tenant applied and its usage uploaded to the bucket."""
    monkeypatch.setenv("BILLING_HOME", str(tmp_path))
    monkeypatch.setenv("BILLING_DATABASE_URL", database_url)
    for name in ("LAKE", "LANDING", "ARCHIVE", "DOCUMENTS"):
        monkeypatch.setenv(f"BILLING_{name}_URL", f"s3://billing/{name.lower()}")
    made = Installation.from_environment()
    january = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    apply_folders(made, read_folders(STORY), applied_at=january, applied_by="test")
    for upload in (STORY / "acme" / "usage" / "calls").rglob("*.*"):
        store.put_file(str(upload), f"billing/landing/acme/calls/{upload.name}")
    yield made
    made.engine.dispose()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        add_tenants(ephemeral, ["acme"])
        yield ephemeral


def test_uploads_in_a_bucket_become_documents_in_a_bucket(
    installation: Installation, instance: dg.DagsterInstance, store: s3fs.S3FileSystem
) -> None:
    landed = register_landed_files(installation, utc_now() + LATER, dt.date(2026, 1, 20))
    flow = Flow(installation, instance, defs)

    flow.load_and_rate()
    flow.bill(dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC))

    with tenant_scope(installation.engine, "acme") as connection:
        assert invoices.read_invoices(connection, "acme")["total_minor"].to_list() == [2500]
    assert landed.new == len(store.find("billing/landing"))
    assert len(store.find("billing/archive")) == landed.new
    parts = store.find("billing/lake")
    assert parts
    assert all(path.endswith(".parquet") for path in parts)
    (pdf,) = (path for path in store.find("billing/documents") if path.endswith(".pdf"))
    assert store.cat_file(pdf)[:5] == b"%PDF-"
    assert not [path for path in store.find("billing") if path.endswith(".part")]


def test_the_sensor_takes_each_object_once_and_leaves_unfinished_ones(
    installation: Installation, store: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.pipe_file("billing/landing/acme/calls/half.csv.part", b"not yet")
    monkeypatch.setattr(sensors, "utc_now", lambda: utc_now() + dt.timedelta(minutes=1))
    uploads = len(store.find("billing/landing/acme/calls")) - 1

    first, second = tick(), tick()

    with installation_scope(installation.engine) as connection:
        assert files.read_files(connection, "landed").height == uploads
    assert len(first) == 1
    assert first == second


def test_an_object_that_appears_between_two_ticks_asks_for_its_day_again(
    installation: Installation, store: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    del installation
    monkeypatch.setattr(sensors, "utc_now", lambda: utc_now() + dt.timedelta(minutes=1))
    before = tick()
    store.pipe_file("billing/landing/acme/calls/late.csv", b"one more")

    assert tick() != before


def tick() -> list[str | None]:
    """Run keys one tick of the sensor asks for."""
    with dg.build_sensor_context(resources={"billing": BillingInstallation()}) as context:
        asked = sensors.usage_uploads.evaluate_tick(context).run_requests or []
    return [request.run_key for request in asked]
