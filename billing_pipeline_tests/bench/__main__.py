"""Our stages against what people would write instead, on the same files in the same run.

`python -m billing_pipeline_tests.bench --events 1000000` generates call records, runs every
contestant in a process of its own, checks that all come to the same totals per account, prints
events a second, peak memory and the ratio to DuckDB, and writes the result as JSON.
"""

import json
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from billing_pipeline_tests.bench.call_records import Inputs, Size, generate

SLICE = 20_000
TOLERANCE = Decimal("0.000001")


class Taken(TypedDict):
    """What one run took."""

    wall_s: dict[str, float]
    processor_s: dict[str, float]
    peak_mb: int
    written_mb: int


@click.command()
@click.option("--events", default=1_000_000, show_default=True)
@click.option("--accounts", default=100_000, show_default=True)
@click.option("--prefixes", default=40_000, show_default=True)
@click.option("--days", default=1, show_default=True, help="usage days the records lie in")
@click.option("--seed", default=7, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="JSON result")
@click.option("--only", multiple=True, default=("duckdb", "polars_naive", "ours", "ours_rating"))
def main(
    events: int,
    accounts: int,
    prefixes: int,
    days: int,
    seed: int,
    out: Path | None,
    only: tuple[str, ...],
) -> None:
    """Measure, compare, print, and keep the result."""
    size = Size(events=events, accounts=accounts, prefixes=prefixes, days=days, seed=seed)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        inputs = generate(size, Path(folder))
        results = {name: _run(name, inputs) for name in only}
        _must_agree(inputs, list(only))
        _judge(inputs)
        megabytes = inputs.calls.stat().st_size // 2**20
    _print(size, megabytes, results)
    result = {
        "size": asdict(size),
        "csv_mb": megabytes,
        "machine": _machine(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 - a date of the report
        "results": results,
    }
    if out is not None:
        out.write_text(json.dumps(result, indent=2) + "\n")


def _run(name: str, inputs: Inputs) -> Taken:
    module = "billing_pipeline_tests.bench.contestant"
    command = [sys.executable, "-m", module, name, str(inputs.folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    taken: Taken = json.loads(done.stdout.splitlines()[-1])
    return taken


def _must_agree(inputs: Inputs, names: list[str]) -> None:
    """All contestants come to the same totals; what was timed is also right."""
    first, *others = (pl.read_parquet(inputs.folder / f"{name}.totals.parquet") for name in names)
    for name, totals in zip(names[1:], others, strict=True):
        both = first.join(totals, on="account_key", how="full", suffix="_other", validate="1:1")
        wrong = both.filter(
            (pl.col("events") != pl.col("events_other"))
            | ((pl.col("amount") - pl.col("amount_other")).abs() > TOLERANCE)
            | pl.col("amount").is_null()
            | pl.col("amount_other").is_null()
        )
        if wrong.height:
            raise click.ClickException(f"{names[0]} and {name} disagree:\n{wrong.head()}")


def _judge(inputs: Inputs) -> None:
    """On a slice a plain Decimal loop has the last word."""
    part = Inputs(inputs.folder / "slice")
    part.folder.mkdir()
    with inputs.calls.open("rb") as calls, part.calls.open("wb") as head:
        head.writelines(line for _, line in zip(range(SLICE), calls, strict=False))
    for source, target in ((inputs.accounts, part.accounts), (inputs.card, part.card)):
        target.write_bytes(source.read_bytes())
    names = ["row_by_row", "ours", "duckdb"]
    for name in names:
        _run(name, part)
    _must_agree(part, names)


def _machine() -> dict[str, str]:
    names = ("polars", "duckdb", "pandera")
    return {
        "processor": _processor(),
        "cores": str(pl.thread_pool_size()),
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _print(size: Size, megabytes: int, results: dict[str, Taken]) -> None:
    table = Table(title=f"{size.events:,} call records, {megabytes:,} MB of CSV")
    for heading in ("", "phases, wall s", "wall s", "cpu s", "events/s", "peak MB", "x duckdb"):
        table.add_column(heading, justify="left" if heading in ("", "phases, wall s") else "right")
    base = results.get("duckdb")
    for name, taken in results.items():
        wall, processor = sum(taken["wall_s"].values()), sum(taken["processor_s"].values())
        phases = " ".join(f"{phase} {seconds:.2f}" for phase, seconds in taken["wall_s"].items())
        ratio = "" if base is None else f"{wall / _comparable(base, taken):.2f}"
        table.add_row(
            name,
            phases,
            f"{wall:.2f}",
            f"{processor:.2f}",
            f"{size.events / wall:,.0f}",
            f"{taken['peak_mb']:,}",
            ratio,
        )
    Console(width=130).print(table)


def _comparable(base: Taken, taken: Taken) -> float:
    """Seconds of the base in the phases the other has too."""
    if "decode" in taken["wall_s"]:
        return sum(base["wall_s"].values())
    return base["wall_s"]["rate"] + base["wall_s"]["totals"]


if __name__ == "__main__":
    main()
