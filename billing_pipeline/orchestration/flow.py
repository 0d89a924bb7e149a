"""The whole pipeline through Dagster in one process: what sensors and schedules do, at once.

Each call is a recorded Dagster run over a span of partitions.
"""

import datetime as dt
from collections.abc import Sequence

import dagster as dg
import polars as pl

from billing_pipeline.books import catalog, due, files
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.partitions import span_tags, tenant_span_tags

_NO_LIMIT = 100_000
# The runs are recorded in Dagster; a terminal shows progress, not their logs.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class RunFailed(Exception):
    """A Dagster run failed; the message names the run and its first error."""


class Flow:
    """Runs jobs on an instance and waits for them."""

    def __init__(
        self, installation: Installation, instance: dg.DagsterInstance, defs: dg.Definitions
    ) -> None:
        self._installation = installation
        self._instance = instance
        self._defs = defs

    def load_and_rate(self) -> None:
        """Load every waiting file, then mediate and rate the days they touched."""
        with installation_scope(self._installation.engine) as connection:
            landing_days = files.unloaded_landing_days(connection)
        self.run_days("load_usage", landing_days)
        with installation_scope(self._installation.engine) as connection:
            usage_days = due.stale_usage_days(connection)["usage_day"].to_list()
        self._run_each("mediate_usage", [_span(part) for part in self._parts(usage_days)])
        with installation_scope(self._installation.engine) as connection:
            stale = due.stale_rating_days(connection)
        self._run_each("rate_usage", _spans(stale, "usage_day"))

    def bill(self, now: dt.datetime) -> None:
        """Bill every local day that is due at `now`, one run per tenant."""
        with installation_scope(self._installation.engine) as connection:
            due.plan_bill_days(connection, now)
            days = due.due_bill_days(connection, limit=_NO_LIMIT)
        self._run_each("bill_run", _spans(days, "bill_day"))

    def rate_span(self, tenant_key: str, first: dt.date, last: dt.date) -> None:
        """Rate a tenant's usage days again, first to last, in one run."""
        self._run("rate_usage", tenant_span_tags(tenant_key, first, last))

    def bill_tenant(self, tenant_key: str, now: dt.datetime) -> int:
        """Bill one tenant's local days that are due at `now`, in one run; return how many."""
        with installation_scope(self._installation.engine) as connection:
            due.plan_bill_days(connection, now)
            days = due.due_bill_days(connection, tenant_key=tenant_key, limit=_NO_LIMIT)
        if not days.is_empty():
            span = days["bill_day"].to_list()
            self._run("bill_run", tenant_span_tags(tenant_key, min(span), max(span)))
        return days.height

    def assure(self, day: dt.date) -> None:
        """Run every control over every tenant, one run per tenant."""
        with installation_scope(self._installation.engine) as connection:
            tenants = catalog.tenant_keys(connection)
        self._run_each("assure", [tenant_span_tags(key, day, day) for key in tenants])

    def run_days(self, job: str, days: Sequence[dt.date]) -> None:
        """Run a job over the span of some days of a daily grid; no days are no run."""
        if days:
            self._run(job, _span(days))

    def _parts(self, days: Sequence[dt.date]) -> list[Sequence[dt.date]]:
        """Days of a grid as they are given to runs: all to one."""
        return [days] if days else []

    def _run_each(self, job: str, spans: Sequence[dict[str, str]]) -> None:
        """One run for each of several tenants' spans."""
        for tags in spans:
            self._run(job, tags)

    def _run(self, job: str, tags: dict[str, str]) -> None:
        run_job(self._instance, self._defs, job, tags)


def run_job(
    instance: dg.DagsterInstance, defs: dg.Definitions, job: str, tags: dict[str, str]
) -> None:
    """Run a job in this process, recorded by Dagster.

    Raises: RunFailed.
    """
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance, tags=tags, run_config=_QUIET, raise_on_error=False
    )
    if not result.success:
        raise RunFailed(f"{job} failed (run {result.run_id}): {_first_cause(result)}")


def _span(days: Sequence[dt.date]) -> dict[str, str]:
    return span_tags(min(days).isoformat(), max(days).isoformat())


def _spans(days: pl.DataFrame, day: str) -> list[dict[str, str]]:
    """Tags of a span for each tenant: from its first to its last day."""
    spans = days.group_by("tenant_key").agg(first=pl.col(day).min(), last=pl.col(day).max())
    return [tenant_span_tags(*row) for row in spans.sort("tenant_key").rows()]


def _first_cause(result: dg.ExecuteInProcessResult) -> str:
    """The innermost message of the first step that failed: what a person can act on."""
    for event in result.all_events:
        if event.is_step_failure and (error := event.step_failure_data.error):
            while error.cause is not None:
                error = error.cause
            return error.message.strip()
    return "see the run's log"
