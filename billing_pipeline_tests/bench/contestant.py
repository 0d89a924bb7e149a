"""Run one contestant in a process of its own: `contestant NAME FOLDER` prints a line of JSON."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl

from billing_pipeline_tests.bench import (
    baseline_duckdb,
    baseline_polars_naive,
    baseline_row_by_row,
    ours,
)
from billing_pipeline_tests.bench.call_records import Inputs
from billing_pipeline_tests.bench.contest import Clock, peak_megabytes

CONTESTANTS: dict[str, Callable[[Inputs, Path, Clock], pl.DataFrame]] = {
    "duckdb": baseline_duckdb.run,
    "polars_naive": baseline_polars_naive.run,
    "row_by_row": baseline_row_by_row.run,
    "ours": ours.run,
    "ours_rating": ours.run_rating,
}


def main(name: str, folder: Path) -> None:
    """Run, leave totals beside the scratch folder, and say what it took."""
    scratch = folder / name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    clock = Clock()
    totals = CONTESTANTS[name](Inputs(folder), scratch, clock)
    totals.write_parquet(folder / f"{name}.totals.parquet")
    written = sum(path.stat().st_size for path in scratch.rglob("*.parquet"))
    taken = {
        "wall_s": clock.wall,
        "processor_s": clock.processor,
        "peak_mb": peak_megabytes(),
        "written_mb": written // 2**20,
    }
    sys.stdout.write(json.dumps(taken) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
