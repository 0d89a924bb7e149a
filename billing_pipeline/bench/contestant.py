"""One measurement in a process of its own: `contestant NAME FOLDER [ARGUMENT]...` prints JSON.

So that no measurement profits from what another has read, or pays for the memory it has taken.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from billing_pipeline.bench.contest import Clock, Taken, peak_megabytes

CONTESTANTS = {
    "duckdb": "billing_pipeline.bench.baseline_duckdb",
    "polars_naive": "billing_pipeline.bench.baseline_polars_naive",
    "row_by_row": "billing_pipeline.bench.baseline_row_by_row",
    "ours": "billing_pipeline.bench.stages",
    "ours_rating": "billing_pipeline.bench.stages_rating",
    "steps": "billing_pipeline.bench.through_steps",
    "dagster": "billing_pipeline.bench.through_dagster",
    "reprocess": "billing_pipeline.bench.reprocess",
    "bill_run": "billing_pipeline.bench.bill_run",
    "small_days": "billing_pipeline.bench.small_days",
    "three_years": "billing_pipeline.bench.three_years",
    "register": "billing_pipeline.bench.register",
    "documents": "billing_pipeline.bench.documents",
    "documents_plain": "billing_pipeline.bench.documents_plain",
    "documents_typst": "billing_pipeline.bench.documents_typst",
}
"""Modules with `run(folder, scratch, clock, *arguments)`."""


class Contestant(Protocol):
    """A module that can be measured."""

    def run(self, folder: Path, scratch: Path, clock: Clock, *arguments: str) -> None:
        """Read inputs from `folder`, write below `scratch`, and time phases."""


class ContestantFailed(Exception):
    """A measurement broke off; what it wrote stands above."""


def run_alone(name: str, folder: Path, *arguments: str) -> Taken:
    """Measure one contestant in a process of its own.

    Raises: ContestantFailed.
    """
    command = [sys.executable, "-m", __name__, name, str(folder), *arguments]
    home = folder / name / "home"
    environment = {key: text for key, text in os.environ.items() if not key.startswith("BILLING_")}
    environment.pop("DAGSTER_HOME", None)
    done = subprocess.run(  # noqa: S603 - this very module
        command,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        env=environment | {"BILLING_HOME": str(home)},
    )
    if done.returncode:
        raise ContestantFailed(f"bench: {name} ended with status {done.returncode}")
    taken: Taken = json.loads(done.stdout.splitlines()[-1])
    return taken


def main(name: str, folder: Path, *arguments: str) -> None:
    """Run one contestant and say what it took."""
    scratch = folder / name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    folder.chmod(0o755)  # an embedded Postgres runs as its own user when we are root
    clock = Clock()
    module: Contestant = importlib.import_module(CONTESTANTS[name])
    module.run(folder, scratch, clock, *arguments)
    written = sum(path.stat().st_size for path in scratch.rglob("*.parquet"))
    taken: Taken = {
        "wall_s": clock.wall,
        "processor_s": clock.processor,
        "peak_mb": peak_megabytes(),
        "written_mb": written // 2**20,
        "counts": clock.counts,
    }
    sys.stdout.write("\n" + json.dumps(taken) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
