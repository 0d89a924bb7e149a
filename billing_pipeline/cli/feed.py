"""`billing feed`: the feeds a tenant reads."""

from pathlib import Path

import click


@click.group()
def feed() -> None:
    """Definitions by which usage files are read."""


@feed.command("check")
@click.argument("definition", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def check(definition: Path, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Show what the feed DEFINITION would make of each file, without touching anything."""
    import json
    import sys

    from billing_pipeline.orchestration.feed_check import check_feed

    reports = [check_feed(definition, file) for file in files]
    if as_json:
        click.echo(json.dumps([report.as_dict() for report in reports], indent=2))
    else:
        click.echo("\n\n".join(str(report) for report in reports))
    sys.exit(0 if all(report.is_conserved for report in reports) else 1)
