"""`billing demo`: three tenants that show the field, and usage at any scale."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import dagster as dg


@click.group(invoke_without_command=True)
@click.pass_context
def demo(context: click.Context) -> None:
    """Run the demo (or `usage`: only generate usage files)."""
    if context.invoked_subcommand is None:
        context.invoke(run)


@demo.command()
@click.option("--events", default=30_000, show_default=True, help="Usage events to generate.")
@click.option("--seed", default=7, show_default=True)
def run(events: int, seed: int) -> None:
    """Apply the demo tenants, land two months of usage, and bill them through Dagster."""
    from billing_pipeline.orchestration.demo_run import run_demo
    from billing_pipeline.orchestration.installation import Installation

    run_demo(Installation.from_environment(), _definitions, events=events, seed=seed)


def _definitions() -> "dg.Definitions":
    from billing_pipeline.definitions import defs

    return defs


@demo.command()
@click.option("--events", default=60_000, show_default=True)
@click.option("--seed", default=7, show_default=True)
@click.option("--from", "from_day", default="2026-09-01", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--until", "until_day", default="2026-10-31", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def usage(events: int, seed: int, from_day: dt.datetime, until_day: dt.datetime, out: Path) -> None:
    """Write usage files of the demo tenants to OUT; equal seeds give equal bytes."""
    import polars as pl

    from billing_pipeline.demo.usage.generate import generate_usage

    summary = generate_usage(
        out,
        from_day=from_day.date(),
        until_day=until_day.date(),
        events=events,
        seed=seed,
    )
    counts = summary.counts.group_by("kind", maintain_order=True).agg(pl.col("records").sum())
    for kind, records in counts.rows():
        click.echo(f"{records:>10}  {kind}")
    click.echo(f"{len(summary.files):>10}  files in {out}")
