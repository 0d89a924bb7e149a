"""The same usage through Dagster: recorded runs on Postgres, over a span of partitions."""

from pathlib import Path

from billing_pipeline.bench.contest import Clock
from billing_pipeline.bench.installations import land_usage, own_installation
from billing_pipeline.bench.rated import write_totals
from billing_pipeline.bench.tenant_folder import TENANT
from billing_pipeline.bench.usage_files import Inputs
from billing_pipeline.orchestration.flow import Flow
from billing_pipeline.orchestration.instance import open_instance
from billing_pipeline.orchestration.partitions import add_tenants


def run(folder: Path, scratch: Path, clock: Clock) -> None:
    """Load, mediate and rate what landed, one run each."""
    from billing_pipeline.definitions import defs  # noqa: PLC0415 - what a worker has imported

    inputs = Inputs(folder)
    with own_installation() as installation:
        instance = open_instance(installation)
        add_tenants(instance, [TENANT])
        land_usage(installation, inputs, scratch)
        with clock.phase("dagster"):
            Flow(installation, instance, defs).load_and_rate()
        write_totals(installation, inputs.totals("dagster"))
        instance.dispose()
