"""`billing bench`: how fast every stage is on this machine."""

from pathlib import Path

import click

_PARTS = (
    "usage",
    "dagster",
    "month",
    "small-days",
    "bill-run",
    "documents",
    "start-up",
    "curves",
)


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(_PARTS))
@click.option(
    "--scale",
    type=click.Choice(("small", "budget", "full")),
    default="small",
    show_default=True,
    help="small: minutes. budget: the sizes of the budgets. full: also what takes hours.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="JSON result, pictures beside."
)
def bench(parts: tuple[str, ...], scale: str, out: Path | None) -> None:
    """Measure PARTS (all of them if none is named) on throw-away data and check the results.

    Every figure stands beside its budget and, where there is one, is a ratio to a baseline in
    the same run. The DuckDB and typst baselines need `pip install 'billing-pipeline[bench]'`.
    """
    from rich.console import Console

    from billing_pipeline.bench.parts import PARTS, SCALES
    from billing_pipeline.bench.report import figures_table, write_result
    from billing_pipeline.bench.usage import has_duckdb
    from billing_pipeline.orchestration.clock import utc_now

    console = Console()
    if not has_duckdb():
        click.echo(
            "DuckDB is not installed, so there is no ratio to it: "
            "pip install 'billing-pipeline[bench]'",
            err=True,
        )
    started, measured = utc_now(), {}
    for part in parts or _PARTS:
        measured[part] = PARTS[part](SCALES[scale])
        console.print(figures_table(part, measured[part]))
        if out is not None:
            write_result(out, scale, measured, started)
