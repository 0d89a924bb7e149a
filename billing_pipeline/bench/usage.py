"""Budget 1: usage files to rated usage and totals, against DuckDB and others in the same run."""

import tempfile
from decimal import Decimal
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import polars as pl

from billing_pipeline.bench.contest import Figure, NotRight, Taken
from billing_pipeline.bench.contestant import run_alone
from billing_pipeline.bench.usage_files import Inputs, Size, generate

SLICE = 20_000
TOLERANCE = Decimal("0.000001")
BASELINES = ("duckdb", "polars_naive")
OURS = ("ours", "ours_rating")
MOST_OF_DUCKDB = 1.5
MOST_MEGABYTES = 4096


def has_duckdb() -> bool:
    """Whether the baseline can run: DuckDB comes with the extra `bench` only."""
    return find_spec("duckdb") is not None


def measure_usage(size: Size, contestants: tuple[str, ...]) -> dict[str, Taken]:
    """What each contestant took over the same files, all of them right.

    Raises: NotRight if two of them differ, or the Decimal loop says otherwise on a slice.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        inputs = generate(size, Path(folder))
        taken = {name: run_alone(name, inputs.folder) for name in contestants}
        must_agree(inputs, contestants)
        _judge(inputs, [name for name in contestants if name != "ours_rating"])
    return taken


def take_alone(contestant: str, size: Size) -> Taken:
    """What one contestant took over files of a size; `measure_usage` asks whether it is right."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return run_alone(contestant, generate(size, Path(folder)).folder)


def contestants(*, with_baselines: bool) -> tuple[str, ...]:
    """Who is measured: without DuckDB, only what is there."""
    baselines = BASELINES if has_duckdb() else BASELINES[1:]
    return (*baselines, *OURS) if with_baselines else OURS[:1]


def usage_figures(size: Size, taken: dict[str, Taken]) -> list[Figure]:
    """The ratios and the peak memory that budget 1 is about."""
    ours = taken["ours"]
    own = sum(ours["wall_s"].values())
    figures = [
        Figure(1, "our stages, events a second", size.events / own, "events/s"),
        Figure(1, "our stages, peak memory", ours["peak_mb"], "MB", most=MOST_MEGABYTES),
    ]
    if base := taken.get("duckdb"):
        theirs = sum(base["wall_s"].values())
        rest = base["wall_s"]["rate"] + base["wall_s"]["totals"]
        processor = sum(ours["processor_s"].values()) / sum(base["processor_s"].values())
        rating = sum(taken["ours_rating"]["wall_s"].values()) / rest
        figures += [
            Figure(1, "our stages / DuckDB, wall time", own / theirs, "x", most=MOST_OF_DUCKDB),
            Figure(1, "our stages / DuckDB, processor time", processor, "x"),
            Figure(1, "rating and totals / DuckDB's, wall time", rating, "x"),
        ]
    return figures


def must_agree(inputs: Inputs, names: tuple[str, ...] | list[str]) -> None:
    """All contestants come to the same totals; what was timed is also right."""
    first, *others = (pl.read_parquet(inputs.totals(name)) for name in names)
    for name, totals in zip(names[1:], others, strict=True):
        both = first.join(totals, on="account_key", how="full", suffix="_other", validate="1:1")
        wrong = both.filter(
            (pl.col("events") != pl.col("events_other"))
            | ((pl.col("amount") - pl.col("amount_other")).abs() > TOLERANCE)
            | pl.col("amount").is_null()
            | pl.col("amount_other").is_null()
        )
        if wrong.height:
            raise NotRight(f"{names[0]} and {name} disagree on {wrong.height}:\n{wrong.head()}")


def _judge(inputs: Inputs, names: list[str]) -> None:
    """On a slice a plain Decimal loop has the last word."""
    part = Inputs(inputs.folder / "slice")
    part.folder.mkdir()
    with inputs.calls.open("rb") as calls, part.calls.open("wb") as head:
        head.writelines(islice(calls, SLICE))
    for source, target in ((inputs.accounts, part.accounts), (inputs.card, part.card)):
        target.write_bytes(source.read_bytes())
    judged = ["row_by_row", *names]
    for name in judged:
        run_alone(name, part.folder)
    must_agree(part, judged)
