"""What a bench prints, and the result it writes."""

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from billing_pipeline.bench.contest import Figure
from billing_pipeline.bench.machine import load, machine
from billing_pipeline.bench.parts import Measured

_JUDGED = {True: "[green]met[/green]", False: "[red]not met[/red]", None: ""}


def figures_table(part: str, measured: Measured) -> Table:
    """The figures of a part, each beside its budget."""
    table = Table(title=f"{part}, load {load()}", title_justify="left")
    for heading in ("budget", "figure", "measured", "limit", ""):
        table.add_column(heading, justify="right" if heading in ("measured", "limit") else "left")
    for figure in measured.figures:
        table.add_row(
            str(figure.budget),
            figure.what,
            f"{_rounded(figure.value)} {figure.unit}",
            _limit(figure),
            _JUDGED[figure.is_met],
        )
    return table


def write_result(target: Path, scale: str, measured: dict[str, Measured], at: dt.datetime) -> None:
    """The figures, all runs and the machine as JSON; pictures beside it."""
    result = {
        "scale": scale,
        "at": at.isoformat(timespec="seconds"),
        "machine": machine(),
        "load": load(),
        "figures": [
            {"part": part, **asdict(figure), "is_met": figure.is_met}
            for part, one in measured.items()
            for figure in one.figures
        ],
        "runs": {part: one.runs for part, one in measured.items()},
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")
    for one in measured.values():
        for name, picture in one.pictures.items():
            (target.parent / name).write_text(picture)


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"  # noqa: PLR2004 - three digits


def _limit(figure: Figure) -> str:
    if figure.most is not None:
        return f"≤ {figure.most:g} {figure.unit}"
    return "" if figure.least is None else f"≥ {figure.least:g} {figure.unit}"
