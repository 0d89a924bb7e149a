"""Sensors read tables of the books; they decide nothing themselves."""

import datetime as dt
from collections.abc import Iterator
from typing import Literal

import dagster as dg
import polars as pl

from billing_pipeline.books import catalog, due, files, manifest, summary
from billing_pipeline.books import suspense as suspense_books
from billing_pipeline.books.scope import Connection, installation_scope
from billing_pipeline.books.settled import settled_days
from billing_pipeline.lake import layout
from billing_pipeline.orchestration import jobs
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.large_days import large_day_request, rate_large_day
from billing_pipeline.orchestration.partitions import (
    add_tenants,
    all_tenants,
    day_span_request,
    span_tags,
    spans_with_gaps,
    tenant_span_request,
    unbroken_spans,
)
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.steps.register import register_landed_files
from billing_pipeline.rating.shards import shards_of

RUNS_PER_TICK = 200
_SECONDS = 30
_MINUTES = 5


@dg.sensor(
    job=jobs.load_usage,
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Registers new uploads and asks for their landing day to be loaded.",
)
def usage_uploads(
    context: dg.SensorEvaluationContext, billing: BillingInstallation
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run per span of landing days with files waiting; a file is registered once."""
    registered = register_landed_files(billing.installation, utc_now())
    with installation_scope(billing.installation.engine) as connection:
        waiting = files.unloaded_landing_days(connection)
        newest = summary.newest_file_id(connection)
    context.log.info("%s new uploads registered", registered.new)
    if registered.unknown_folders:
        context.log.warning(
            "the landing zone has folders of no tenant: %s; apply the tenant or move the files",
            ", ".join(registered.unknown_folders),
        )
    if not waiting:
        yield dg.SkipReason("no file waits to be loaded")
    for first, last in unbroken_spans(waiting)[:RUNS_PER_TICK]:
        yield day_span_request("load", first, last, newest)


@dg.sensor(
    job=jobs.mediate_usage,
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for usage days that files have touched to be mediated again.",
)
def stale_usage_days(
    billing: BillingInstallation,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run per span of stale usage days; the version changes when files touch them again."""
    with installation_scope(billing.installation.engine) as connection:
        stale = due.stale_usage_days(connection)
        settled = _settled_among(connection, "mediate", stale)
    if stale.is_empty():
        yield dg.SkipReason("every usage day is mediated")
    apart = {day for _, day in settled}
    for first, last in spans_with_gaps(stale["usage_day"], apart)[:RUNS_PER_TICK]:
        touched = stale.filter(stale["usage_day"].is_between(first, last))["touched"].sum()
        yield day_span_request("mediate", first, last, touched)


@dg.sensor(
    jobs=[jobs.rate_usage, rate_large_day],
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for tenants' days whose usage or prices changed to be rated again.",
)
def stale_rating_days(
    context: dg.SensorEvaluationContext, billing: BillingInstallation
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run per tenant and span of stale days; a tenant applied a moment ago takes part.

    A day too large for one worker is a run of its own, on several.
    """
    with installation_scope(billing.installation.engine) as connection:
        stale = due.stale_rating_days(connection)
        keys = stale.select("tenant_key", "usage_day").rows()
        events = manifest.rows_of_days(connection, layout.MEDIATED_USAGE, keys)
        settled = _settled_among(connection, "rate", stale)
        add_tenants(context.instance, catalog.tenant_keys(connection))
    if stale.is_empty():
        yield dg.SkipReason("every usage day is rated")
    large = {key for key, count in events.items() if shards_of(count) > 1}
    for tenant_key, day, touched in stale.select("tenant_key", "usage_day", "touched").rows():
        if (tenant_key, day) in large:
            yield large_day_request(tenant_key, day, touched)
    small = stale.filter(~_is_one_of(large))
    for (tenant_key,), days in sorted(small.partition_by("tenant_key", as_dict=True).items()):
        apart = {day for key, day in settled | large if key == tenant_key}
        for first, last in spans_with_gaps(days["usage_day"], apart)[:RUNS_PER_TICK]:
            touched = days.filter(days["usage_day"].is_between(first, last))["touched"].sum()
            request = tenant_span_request("rate", str(tenant_key), first, last, touched)
            yield request.with_replaced_attrs(job_name=jobs.rate_usage.name)


def _settled_among(
    connection: Connection, stage: Literal["mediate", "rate"], stale: pl.DataFrame
) -> set[tuple[str, dt.date]]:
    """Days between stale ones that need nothing: a run over them would do them again."""
    if stale.is_empty():
        return set()
    days = stale["usage_day"].to_list()
    return settled_days(connection, stage, min(days), max(days))


def _is_one_of(days: set[tuple[str, dt.date]]) -> pl.Expr:
    """Whether a row's tenant and usage day are among some days."""
    named = [f"{tenant_key} {day}" for tenant_key, day in days]
    return pl.format("{} {}", "tenant_key", "usage_day").is_in(named)


@dg.sensor(
    job=jobs.watch_suspense,
    minimum_interval_seconds=_MINUTES * 60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for suspense to be counted when records entered or left it, and daily.",
)
def suspense_changes(
    context: dg.SensorEvaluationContext, billing: BillingInstallation
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run over all tenants for every change, and one a day because records grow old."""
    with installation_scope(billing.installation.engine) as connection:
        version = suspense_books.suspense_version(connection)
        add_tenants(context.instance, catalog.tenant_keys(connection))
    known = all_tenants(context.instance)
    if not known:
        yield dg.SkipReason("no tenant is applied")
        return
    key = f"suspense:{utc_now().date()}:{version}"
    yield dg.RunRequest(run_key=key, tags=span_tags(known[0], known[-1]))


ALL = [usage_uploads, stale_usage_days, stale_rating_days, suspense_changes]
