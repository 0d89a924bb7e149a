"""What `deploy/` promises, as far as it can be checked without a cluster."""

import re
from pathlib import Path
from typing import Any

import yaml

from billing_pipeline_tests.orchestration.running import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
VALUES: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
SHIPPED: dict[str, Any] = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text())


def test_the_cluster_has_the_limits_of_the_shipped_instance() -> None:
    coordinator = VALUES["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]

    assert (
        coordinator["tagConcurrencyLimits"]
        == (SHIPPED["concurrency"]["runs"]["tag_concurrency_limits"])
    )
    monitoring = VALUES["dagsterDaemon"]["runMonitoring"]
    assert monitoring["maxRuntimeSeconds"] == SHIPPED["run_monitoring"]["max_runtime_seconds"]
    retries = VALUES["dagsterDaemon"]["runRetries"]
    assert (
        retries["retryOnAssetOrOpFailure"]
        is SHIPPED["run_retries"]["retry_on_asset_or_op_failure"]
        is False
    )


def test_runs_and_code_location_get_the_same_secrets() -> None:
    (location,) = VALUES["dagster-user-deployments"]["deployments"]
    launcher = VALUES["runLauncher"]["config"]["k8sRunLauncher"]

    assert location["envSecrets"] == launcher["envSecrets"]
    assert location["envConfigMaps"] == launcher["envConfigMaps"]
    assert location["dagsterApiGrpcArgs"] == ["--module-name", "billing_pipeline.definitions"]


def test_the_image_copies_what_there_is_and_installs_the_lock() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    setup = (CHECKOUT / "tools" / "setup.sh").read_text()

    for line in re.findall(r"^COPY (.+)$", dockerfile, flags=re.MULTILINE):
        *sources, _ = line.split()
        assert [source for source in sources if not (CHECKOUT / source).exists()] == []
    assert "--require-hashes -r requirements.lock" in dockerfile
    packages = re.search(r'^PACKAGES="(.+)"$', setup, flags=re.MULTILINE)
    assert packages is not None
    assert packages[1] in dockerfile


def test_no_secret_stands_in_what_is_deployed() -> None:
    texts = [path.read_text() for path in Path(DEPLOY).rglob("*") if path.is_file()]

    assert not [text for text in texts if re.search(r"(?i)(password|secret_key)\s*[:=]\s*\S", text)]
