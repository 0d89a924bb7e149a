"""What `deploy/` promises, as far as it can be checked without a cluster."""

import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import dagster_k8s
import pytest
import yaml

from billing_pipeline.orchestration.step_workers import (
    STEP_WORKERS,
    UnknownStepWorkers,
    step_workers,
)
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


def test_the_image_has_what_starts_a_job_in_the_cluster() -> None:
    """A run's pod loads the launcher of its instance before it does anything."""
    kinds = (dagster_k8s.K8sRunLauncher.__module__, step_workers({STEP_WORKERS: "kubernetes"}).name)

    assert kinds == ("dagster_k8s.launcher", "k8s")
    assert VALUES["runLauncher"]["type"] == dagster_k8s.K8sRunLauncher.__name__
    assert "\ndagster-k8s==" in (CHECKOUT / "requirements.lock").read_text()


@pytest.mark.parametrize(
    ("environment", "executor"),
    [
        ({}, "multiprocess"),
        ({STEP_WORKERS: ""}, "multiprocess"),
        ({STEP_WORKERS: "celery"}, "celery"),
    ],
)
def test_steps_of_a_large_day_go_to_whoever_is_named(
    environment: dict[str, str], executor: str
) -> None:
    assert step_workers(environment).name == executor


def test_workers_there_are_none_of_are_refused() -> None:
    with pytest.raises(UnknownStepWorkers, match="it can be celery, kubernetes, processes"):
        step_workers({STEP_WORKERS: "threads"})


def test_no_secret_stands_in_what_is_deployed() -> None:
    texts = [path.read_text() for path in Path(DEPLOY).rglob("*") if path.is_file()]

    assert not [text for text in texts if re.search(r"(?i)(password|secret_key)\s*[:=]\s*\S", text)]


# Keys of the chart's own schema (values.schema.json of dagster/dagster) in what is set here. The
# chart refuses a misspelt key where `strict`; elsewhere it would ignore it, which is worse.
CHART: dict[str, set[str]] = {
    "": {
        *("global", "generatePostgresqlPasswordSecret", "postgresql", "dagster-user-deployments"),
        *("runLauncher", "dagsterDaemon", "dagsterWebserver", "telemetry", "retention"),
    },
    "global": {
        "postgresqlSecretName",
        "dagsterHome",
        "serviceAccountName",
        "celeryConfigSecretName",
    },
    "postgresql": {
        *("enabled", "image", "postgresqlHost", "postgresqlUsername", "postgresqlPassword"),
        *("postgresqlDatabase", "postgresqlParams", "postgresqlScheme", "service"),
    },
    "dagster-user-deployments": {"enabled", "enableSubchart", "imagePullSecrets", "deployments"},
    "runLauncher": {"type", "config"},
    "runLauncher.config.k8sRunLauncher": {
        *("image", "imagePullPolicy", "jobNamespace", "loadInclusterConfig", "kubeconfigFile"),
        *("envConfigMaps", "envSecrets", "envVars", "volumeMounts", "volumes", "labels"),
        *("resources", "runK8sConfig", "failPodOnRunFailure", "securityContext", "schedulerName"),
    },
    "dagsterDaemon": {"enabled", "runCoordinator", "runMonitoring", "runRetries", "env", "image"},
    "dagsterDaemon.runCoordinator": {"enabled", "type", "config"},
    "dagsterDaemon.runCoordinator.config.queuedRunCoordinator": {
        *("maxConcurrentRuns", "tagConcurrencyLimits", "dequeueIntervalSeconds"),
        *("dequeueNumWorkers", "dequeueUseThreads"),
    },
    "dagsterDaemon.runMonitoring": {
        *("enabled", "startTimeoutSeconds", "cancelTimeoutSeconds", "pollIntervalSeconds"),
        *("maxRuntimeSeconds", "maxResumeRunAttempts", "freeSlotsAfterRunEndSeconds"),
    },
    "dagsterDaemon.runRetries": {"enabled", "maxRetries", "retryOnAssetOrOpFailure"},
    "telemetry": {"enabled"},
}
DEPLOYMENT = {
    *("name", "image", "port", "dagsterApiGrpcArgs", "codeServerArgs", "env", "envConfigMaps"),
    *(
        "envSecrets",
        "resources",
        "labels",
        "annotations",
        "nodeSelector",
        "affinity",
        "tolerations",
    ),
    *("includeConfigInLaunchedRuns", "readinessProbe", "livenessProbe", "startupProbe"),
    *("volumeMounts", "volumes", "podSecurityContext", "securityContext", "schedulerName"),
}


def at(path: str) -> dict[str, Any]:
    found: dict[str, Any] = VALUES
    for name in filter(None, path.split(".")):
        found = found[name]
    return found


@pytest.mark.parametrize("path", CHART)
def test_every_value_has_a_place_in_the_chart(path: str) -> None:
    assert set(at(path)) <= CHART[path]


def test_a_deployment_says_only_what_the_chart_knows() -> None:
    (location,) = VALUES["dagster-user-deployments"]["deployments"]

    assert set(location) <= DEPLOYMENT
    assert set(location["image"]) == {"repository", "tag", "pullPolicy"}
    assert set(location["resources"]) <= {"requests", "limits"}


def test_the_chart_reaches_postgres_by_the_driver_there_is_and_a_secret_of_ours() -> None:
    assert VALUES["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"
    assert VALUES["postgresql"]["enabled"] is False
    assert VALUES["generatePostgresqlPasswordSecret"] is False
    assert VALUES["global"]["postgresqlSecretName"]


HELM = shutil.which("helm")


@pytest.mark.skipif(HELM is None, reason="needs helm, with the repository dagster")
def test_helm_renders_the_chart_with_these_values(tmp_path: Path) -> None:
    chart = tmp_path / "dagster"
    source = ["--untar", "-d", str(tmp_path)]
    fetched = subprocess.run([str(HELM), "pull", "dagster/dagster", *source], check=False)
    if fetched.returncode:
        pytest.skip("the chart's repository cannot be reached")
    values = str(DEPLOY / "kubernetes" / "values.yaml")
    linted = subprocess.run([str(HELM), "lint", str(chart), "-f", values], check=False)
    assert linted.returncode == 0


INSTRUCTION = re.compile(r"^(FROM|RUN|WORKDIR|COPY|USER|EXPOSE|CMD|ENV|ARG|LABEL|HEALTHCHECK) ")


def test_the_image_is_built_of_known_instructions_and_runs_as_a_plain_user() -> None:
    joined = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]

    assert [line for line in lines if not INSTRUCTION.match(line)] == []
    names = [line.split()[0] for line in lines]
    assert names.index("USER") > max(at for at, name in enumerate(names) if name == "RUN")
    assert names.count("FROM") == names.count("CMD") == 1
    tag = lines[0].split()[1].split(":")[1]
    assert tag != "latest"
    assert re.fullmatch(r"3\.1[1-9].*", tag), "the Python that pyproject.toml asks for"
    command = json.loads(lines[-1].removeprefix("CMD "))
    assert command[-2:] == ["-m", "billing_pipeline.definitions"]


def audit_verdict(*packages: dict[str, Any]) -> tuple[int, str]:
    said: tuple[int, str] = runpy.run_path(str(CHECKOUT / "tools" / "audit.py"))["verdict"](
        {"dependencies": list(packages)}
    )
    return said


def test_the_audit_fails_for_a_known_vulnerability_and_only_then() -> None:
    unknown = {"name": "a", "skip_reason": "not found"}
    sound = {"name": "b", "version": "1", "vulns": []}
    faulty = {"name": "c", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}

    assert audit_verdict(unknown) == (
        0,
        "skipped: the advisory service knows none of 1 packages",
    )
    assert audit_verdict(unknown, sound) == (0, "no known vulnerability in 1 of 2 packages")
    assert audit_verdict(sound, faulty) == (
        1,
        "1 known vulnerabilities\n  c 2: CVE-1, mended in 3",
    )
