"""The same usage through the steps with their real input and output, without Dagster."""

from pathlib import Path

from billing_pipeline.bench.contest import Clock
from billing_pipeline.bench.installations import LOADED_AT, land_usage, own_installation
from billing_pipeline.bench.rated import write_totals
from billing_pipeline.bench.usage_files import Inputs
from billing_pipeline.orchestration.simulate import catch_up


def run(folder: Path, scratch: Path, clock: Clock) -> None:
    """Load, mediate and rate what landed."""
    inputs = Inputs(folder)
    with own_installation() as installation:
        land_usage(installation, inputs, scratch)
        with clock.phase("steps"):
            catch_up(installation, LOADED_AT)
        write_totals(installation, inputs.totals("steps"))
