"""Rating alone, from the mediated usage that a run of all stages left behind."""

from pathlib import Path

from billing_pipeline.bench.contest import Clock
from billing_pipeline.bench.stages import MEDIATED, load_checks, rate_and_sum
from billing_pipeline.bench.usage_files import Inputs
from billing_pipeline.lake.store import Lake


def run(folder: Path, scratch: Path, clock: Clock) -> None:
    """Rate, write, sum."""
    del scratch
    inputs, root = Inputs(folder), folder / "ours"
    load_checks()
    mediated = [str(path.relative_to(root)) for path in sorted((root / MEDIATED).glob("*"))]
    totals = rate_and_sum(Lake(str(root)), mediated, inputs, clock)
    totals.write_parquet(inputs.totals("ours_rating"))
