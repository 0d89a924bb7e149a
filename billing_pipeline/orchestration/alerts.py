"""Tell people what failed and what is late. Without BILLING_ALERTS both sensors only log."""

import datetime as dt
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
import polars as pl

from billing_pipeline.books.overdue import overdue_work
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.channels import Alert, channels
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.partitions import TENANT_TAG
from billing_pipeline.orchestration.resources import BillingInstallation

PATIENCE = dt.timedelta(hours=2)
"""How long work may wait before people are told."""

_EVERY_SECONDS = 600
_LISTED = 20
_KEY = pl.concat_str("tenant_key", "kind", "subject", separator="|")


@dg.run_failure_sensor(
    name="tell_of_failed_runs",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the channels of BILLING_ALERTS which run failed, for whom, and why.",
)
def tell_of_failed_runs(context: dg.RunFailureSensorContext) -> None:
    """One alert per failed run."""
    run = context.dagster_run
    whose = run.tags.get(TENANT_TAG, "all tenants")
    partition = run.tags.get("dagster/partition") or _span(run.tags)
    tell(
        Alert(
            title=f"billing: {run.job_name} failed for {whose}",
            text=f"{partition}\nrun {run.run_id}\n{context.failure_event.message}",
        ),
        context.log.warning,
    )


def _span(tags: Mapping[str, str]) -> str:
    first = tags.get("dagster/asset_partition_range_start", "")
    last = tags.get("dagster/asset_partition_range_end", "")
    return f"{first} ... {last}" if first else "no partition"


@dg.sensor(
    minimum_interval_seconds=_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the channels of BILLING_ALERTS once of every piece of work that waits.",
)
def tell_of_overdue_work(
    context: dg.SensorEvaluationContext, billing: BillingInstallation
) -> dg.SkipReason:
    """One alert per tick for what is newly late; what was told before is not told again.

    If it cannot be delivered the tick fails and the next one tries again.
    """
    with installation_scope(billing.installation.engine) as connection:
        late = overdue_work(connection, utc_now() - PATIENCE).with_columns(key=_KEY)
    told = set(json.loads(context.cursor or "[]"))
    new = late.filter(~pl.col("key").is_in(sorted(told)))
    if not new.is_empty():
        tell(overdue_alert(new), context.log.warning)
    context.update_cursor(json.dumps(late["key"].to_list()))
    return dg.SkipReason(f"{late.height} pieces of work are late, {new.height} of them newly")


def overdue_alert(late: pl.DataFrame) -> Alert:
    """What a person reads about late work. Shape: OVERDUE_WORK, at least one row."""
    lines = [_line(row) for row in late.head(_LISTED).rows(named=True)]
    if late.height > _LISTED:
        lines.append(f"and {late.height - _LISTED} more; see the view overdue_work")
    tenants = ", ".join(late["tenant_key"].unique().sort())
    return Alert(title=f"billing: {late.height} late for {tenants}", text="\n".join(lines))


def _line(row: dict[str, Any]) -> str:
    since = f"{row['since']:%Y-%m-%d %H:%M} UTC"
    return f"{row['tenant_key']} {row['kind']} {row['subject']}, since {since}: {row['advice']}"


def tell(alert: Alert, log: Callable[[str], None]) -> None:
    """Log an alert and deliver it to every channel asked for. Raises what a channel raises."""
    log(f"{alert.title}\n{alert.text}")
    for channel in channels(os.environ):
        channel.send(alert)


ALL = [tell_of_failed_runs, tell_of_overdue_work]
