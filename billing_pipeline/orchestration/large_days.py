"""One tenant's usage day on several workers: a step per shard, one transaction at the end.

The shards follow from the day's events alone, so it makes no difference to any byte whether one
worker rates them in turn (the asset `rated_usage`) or each worker one of them (this job).
"""

import datetime as dt
import os
import pickle
from collections.abc import Iterator

import dagster as dg
import fsspec

from billing_pipeline.books import catalog, due
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.orchestration import metadata as shown
from billing_pipeline.orchestration.assets.usage import rated_metadata
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.partitions import TENANT_TAG, tenant_day_key
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline.orchestration.retries import storage_faults_retried
from billing_pipeline.orchestration.step_workers import step_workers
from billing_pipeline.orchestration.steps.facts import read_facts, read_rate_cards
from billing_pipeline.orchestration.steps.rate import (
    RatedShard,
    TenantRater,
    day_shards,
    make_shards_current,
    rate_shard,
    tenant_price_book,
)

_FOLDER = "shards"


class LargeDay(dg.Config):
    """The day to rate."""

    tenant_key: str
    day: str

    @property
    def date(self) -> dt.date:
        """The UTC day."""
        return dt.date.fromisoformat(self.day)


class ShardsInTheLake(dg.IOManager):
    """What steps hand on, in the lake, where every worker reaches it; gone with a run's success."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Write what a step hands on."""
        with fsspec.open(_address(context), "wb") as file:
            pickle.dump(obj, file)

    def load_input(self, context: dg.InputContext) -> object:
        """Read what a step before has handed on."""
        if context.upstream_output is None:
            raise dg.DagsterInvariantViolationError("a shard comes from a step of its run")
        with fsspec.open(_address(context.upstream_output), "rb") as file:
            return pickle.load(file)  # noqa: S301 - written by the same run


def _address(context: dg.OutputContext) -> str:
    filesystem, root = fsspec.core.url_to_fs(Installation.from_environment().lake_url)
    folder = "/".join([root.rstrip("/"), _FOLDER, *context.get_identifier()[:-1]])
    filesystem.makedirs(folder, exist_ok=True)
    return str(filesystem.unstrip_protocol(f"{folder}/{context.get_identifier()[-1]}"))


@dg.op(out={"touched": dg.Out(int), "shard": dg.DynamicOut(int)})
def shards_of_the_day(
    config: LargeDay, billing: BillingInstallation
) -> Iterator[dg.Output[int] | dg.DynamicOutput[int]]:
    """The shards, and the day's counter before anything is read."""
    installation = billing.installation
    with tenant_scope(installation.engine, config.tenant_key) as connection:
        yield dg.Output(
            due.rating_day_touched(connection, config.tenant_key, config.date), "touched"
        )
    for number in range(day_shards(installation, config.tenant_key, config.date)):
        yield dg.DynamicOutput(number, mapping_key=f"{number:04}", output_name="shard")


@dg.op
def rate_one_shard(
    config: LargeDay, billing: BillingInstallation, shard: int
) -> tuple[int, RatedShard]:
    """Rate the events of one shard's accounts, and say by which configuration."""
    installation = billing.installation
    with storage_faults_retried():
        with tenant_scope(installation.engine, config.tenant_key) as connection:
            stamp = catalog.configuration_stamp(connection)
        facts = read_facts(installation, config.tenant_key)
        book = tenant_price_book(facts, read_rate_cards(installation, config.tenant_key))
        return stamp, rate_shard(installation, book, config.tenant_key, config.date, shard)


@dg.op
def make_the_day_current(
    context: dg.OpExecutionContext,
    config: LargeDay,
    billing: BillingInstallation,
    touched: int,
    shards: list[tuple[int, RatedShard]],
) -> None:
    """Make all shards the day's rated usage, in the order of their numbers.

    If a configuration was applied between them, they do not fit together: the day is rated anew.
    """
    installation = billing.installation
    with storage_faults_retried():
        if len({stamp for stamp, _ in shards}) > 1:
            context.log.warning("a configuration was applied meanwhile; all shards are rated anew")
            rated = TenantRater(installation, utc_now()).rate_day(config.tenant_key, config.date)
        else:
            rated = make_shards_current(
                installation,
                read_facts(installation, config.tenant_key),
                config.date,
                [shard for _, shard in shards],
                touched=touched,
                now=utc_now(),
            )
    context.log_event(
        dg.AssetMaterialization(
            "rated_usage",
            partition=tenant_day_key(config.tenant_key, config.date),
            metadata=rated_metadata(rated) | shown.counts(shards=len(shards)),
        )
    )
    filesystem, root = fsspec.core.url_to_fs(installation.lake_url)
    filesystem.rm(f"{root.rstrip('/')}/{_FOLDER}/{context.run_id}", recursive=True)


@dg.graph
def large_day() -> None:
    """Cut, rate each shard, make them current together."""
    touched, shard = shards_of_the_day()
    make_the_day_current(touched, shard.map(rate_one_shard).collect())


OPS = ("shards_of_the_day", "rate_one_shard", "make_the_day_current")

rate_large_day = large_day.to_job(
    name="rate_large_day",
    description="Price a tenant's usage day too large for one worker, shard by shard.",
    executor_def=step_workers(os.environ),
    resource_defs={"io_manager": ShardsInTheLake(), "billing": BillingInstallation()},
    config=dg.ConfigMapping(
        config_fn=lambda day: {"ops": {op: {"config": day} for op in OPS}},
        config_schema={"tenant_key": str, "day": str},
    ),
)


def large_day_request(tenant_key: str, day: dt.date, version: object) -> dg.RunRequest:
    """One run of a tenant's large day."""
    return dg.RunRequest(
        run_key=f"rate-large:{tenant_key}:{day.isoformat()}:{version}",
        job_name=rate_large_day.name,
        tags={TENANT_TAG: tenant_key},
        run_config={"tenant_key": tenant_key, "day": day.isoformat()},
    )
