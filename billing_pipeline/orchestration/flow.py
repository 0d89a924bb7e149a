"""The whole pipeline through Dagster in one process: what sensors and schedules do, at once.

Each call is a recorded Dagster run over a span of partitions.
"""

import datetime as dt
from collections.abc import Sequence

import dagster as dg

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
        self.run_days("mediate_usage", usage_days)
        with installation_scope(self._installation.engine) as connection:
            stale = due.stale_rating_days(connection)
        for (tenant_key,), days in sorted(stale.partition_by("tenant_key", as_dict=True).items()):
            span = days["usage_day"].to_list()
            self._run("rate_usage", tenant_span_tags(str(tenant_key), min(span), max(span)))

    def bill(self, now: dt.datetime) -> None:
        """Bill every local day that is due at `now`, one run per tenant."""
        with installation_scope(self._installation.engine) as connection:
            due.plan_bill_days(connection, now)
            days = due.due_bill_days(connection, limit=_NO_LIMIT)
        for tenant_key in days["tenant_key"].unique().sort():
            self.bill_tenant(tenant_key, now)

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
        for tenant_key in tenants:
            self._run("assure", tenant_span_tags(tenant_key, day, day))

    def run_days(self, job: str, days: Sequence[dt.date]) -> None:
        """Run a job over the span of some days of a daily grid; no days are no run."""
        if days:
            self._run(job, span_tags(min(days).isoformat(), max(days).isoformat()))

    def _run(self, job: str, tags: dict[str, str]) -> None:
        result = self._defs.resolve_job_def(job).execute_in_process(
            instance=self._instance, tags=tags, run_config=_QUIET, raise_on_error=False
        )
        if not result.success:
            raise RunFailed(f"{job} failed (run {result.run_id}): {_first_cause(result)}")


def _first_cause(result: dg.ExecuteInProcessResult) -> str:
    """The innermost message of the first step that failed: what a person can act on."""
    for event in result.all_events:
        if event.is_step_failure and (error := event.step_failure_data.error):
            while error.cause is not None:
                error = error.cause
            return error.message.strip()
    return "see the run's log"
