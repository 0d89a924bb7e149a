"""`billing feed`: the feeds there are, what they say, a new one from a sample, and trying one."""

import datetime as dt
from pathlib import Path

import click

_FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def feed() -> None:
    """Definitions by which usage files are read."""


@feed.command("list")
@click.option("--tenant", "tenant_key", help="Only feeds of this tenant.")
def list_feeds(tenant_key: str | None) -> None:
    """List the feeds that come with the product, and those the tenants have."""
    from billing_pipeline.orchestration.feeds import known_feeds

    for owner, one in known_feeds(tenant_key):
        words = f"{one.name}. {one.description}".strip()
        click.echo(f"{owner or 'shipped':<14} {one.key:<20} {one.frame.framing:<12} {words}")


@feed.command()
@click.argument("key")
@click.option("--tenant", "tenant_key", help="The tenant's feed, not the shipped one.")
def show(key: str, tenant_key: str | None) -> None:
    """Print a feed's definition, and what it says in words."""
    from billing_pipeline.orchestration.feed_words import explained
    from billing_pipeline.orchestration.feeds import feed_with_text

    found, text = feed_with_text(key, tenant_key)
    click.echo(text.rstrip())
    click.echo("\n# In words:")
    for line in explained(found):
        click.echo(f"#   {line}")


@feed.command()
@click.argument("sample", type=_FILES)
@click.option("--key", default=None, help="Key of the feed; default: from the file name.")
@click.option("--zone", default="UTC", show_default=True, help="Zone of times that say none.")
@click.option("--country", default=None, help="Country of telephone numbers, e.g. GB.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: print it.")
def new(sample: Path, key: str | None, zone: str, country: str | None, out: Path | None) -> None:
    """Write a first definition for files like SAMPLE, to be corrected by hand."""
    from billing_pipeline.intake.feed_guess import guessed_feed

    text = guessed_feed(sample, key=key, zone=zone, country=country)
    if out is None:
        click.echo(text, nl=False)
        return
    if out.exists():
        raise click.UsageError(f"{out} is there already")
    out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}; look through it, then: billing feed check {out} {sample}")


@feed.command("check")
@click.argument("definition")
@click.argument("files", nargs=-1, required=True, type=_FILES)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option(
    "--landed",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="Judge late and future records as if the files had landed then (UTC).",
)
def check(
    definition: str, files: tuple[Path, ...], landed: dt.datetime | None, *, as_json: bool
) -> None:
    """Show what the feed DEFINITION, a file or a shipped key, would make of the files.

    Nothing is touched. The exit status is 1 if a record or quantity is not accounted for.
    """
    import json
    import sys

    from billing_pipeline.orchestration.feed_check import check_feed, read_feed

    at = landed.replace(tzinfo=dt.UTC) if landed else None
    reports = check_feed(read_feed(definition), files, at)
    if as_json:
        click.echo(json.dumps([report.as_dict() for report in reports], indent=2))
    else:
        click.echo("\n\n".join(str(report) for report in reports))
    sys.exit(0 if all(report.is_conserved for report in reports) else 1)


@feed.command()
@click.option("--tenant", "tenant_key", help="Only feeds of this tenant.")
def gaps(tenant_key: str | None) -> None:
    """List numbered files that never came, per feed and source."""
    from billing_pipeline.orchestration.file_audit import sequence_gaps
    from billing_pipeline.orchestration.installation import Installation

    found = sequence_gaps(Installation.from_environment(), tenant_key)
    if found.is_empty():
        click.echo("no number is missing")
    for owner, key, source, first, last, count in found.rows():
        numbers = f"{first}" if first == last else f"{first} to {last}"
        click.echo(f"{owner}/{key} {source}: {numbers} ({count} file(s))")
