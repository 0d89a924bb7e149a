"""Where the steps of a large day run: named by the environment, like everything of a place."""

from collections.abc import Mapping

import dagster as dg

STEP_WORKERS = "BILLING_STEP_WORKERS"
"""`processes` of the run's machine, workers of `celery`, or `kubernetes` jobs."""


class UnknownStepWorkers(ValueError):
    """The environment names workers there are none of."""


def step_workers(environment: Mapping[str, str]) -> dg.ExecutorDefinition:
    """The executor whose workers take the steps.

    Raises: UnknownStepWorkers; ImportError if the extra of these workers is not installed.
    """
    named = environment.get(STEP_WORKERS) or "processes"
    if named not in _EXECUTORS:
        raise UnknownStepWorkers(
            f"{STEP_WORKERS} is {named!r}; it can be {', '.join(sorted(_EXECUTORS))}"
        )
    return _EXECUTORS[named]()


def _processes() -> dg.ExecutorDefinition:
    return dg.multiprocess_executor


def _celery() -> dg.ExecutorDefinition:
    from dagster_celery import celery_executor  # noqa: PLC0415 - comes with the extra celery

    addresses = {
        "broker": {"env": "BILLING_CELERY_BROKER"},
        "backend": {"env": "BILLING_CELERY_BACKEND"},
    }
    executor: dg.ExecutorDefinition = celery_executor.configured(addresses, name="celery")
    return executor


def _kubernetes() -> dg.ExecutorDefinition:
    from dagster_k8s import k8s_job_executor  # noqa: PLC0415 - comes with the extra kubernetes

    return k8s_job_executor


_EXECUTORS = {"processes": _processes, "celery": _celery, "kubernetes": _kubernetes}
