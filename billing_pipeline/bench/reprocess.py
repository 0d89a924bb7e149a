"""Budget 3: a month of usage from its file through Dagster, then rated again in a single run."""

from pathlib import Path

import polars as pl

from billing_pipeline.bench.contest import Clock, NotRight
from billing_pipeline.bench.installations import land_usage, own_installation
from billing_pipeline.bench.rated import write_totals
from billing_pipeline.bench.tenant_folder import TENANT
from billing_pipeline.bench.usage_files import Inputs
from billing_pipeline.books import manifest
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.days import EVER
from billing_pipeline.orchestration.flow import Flow
from billing_pipeline.orchestration.instance import open_instance
from billing_pipeline.orchestration.partitions import add_tenants


def run(folder: Path, scratch: Path, clock: Clock) -> None:
    """Load, mediate and rate what landed; then rate all its days again, as finance would.

    Raises: NotRight if the second time comes to anything else.
    """
    from billing_pipeline.definitions import defs  # noqa: PLC0415 - what a worker has imported

    inputs = Inputs(folder)
    with own_installation() as installation:
        instance = open_instance(installation)
        add_tenants(instance, [TENANT])
        land_usage(installation, inputs, scratch)
        flow = Flow(installation, instance, defs)
        with clock.phase("from the file"):
            flow.load_and_rate()
        first = scratch / "first.parquet"
        write_totals(installation, first)
        with tenant_scope(installation.engine, TENANT) as connection:
            parts = manifest.partition_paths(connection, layout.RATED_USAGE, TENANT, *EVER)
        days = parts["partition_day"].to_list()
        with clock.phase("reprocess"):
            flow.rate_span(TENANT, min(days), max(days))
        write_totals(installation, inputs.totals("reprocess"))
        if not pl.read_parquet(first).equals(pl.read_parquet(inputs.totals("reprocess"))):
            raise NotRight("rated again, the month comes to other totals")
        clock.counts["days"] = len(set(days))
        instance.dispose()
