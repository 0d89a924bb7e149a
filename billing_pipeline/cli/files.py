"""`billing files`: what came, what is held and why, and what a person decides about it."""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from billing_pipeline.cli.people import by_and_note

if TYPE_CHECKING:
    import polars as pl

_STATES = [
    "landed",
    "archived",
    "loaded",
    "superseded",
    "duplicate",
    "empty",
    "quarantined",
    "discarded",
]


@click.group()
def files() -> None:
    """Usage files: registered, loaded, held."""


@files.command("list")
@click.option("--tenant", "tenant_key", help="Only files of this owner.")
@click.option("--feed", "feed_key", help="Only files of this feed.")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES))
@click.option("--limit", default=50, show_default=True)
def list_files(
    tenant_key: str | None, feed_key: str | None, states: tuple[str, ...], limit: int
) -> None:
    """Count files by state, and list the latest ones; uploads still awaited come last."""
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.file_register import chosen_files
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.register import awaited_uploads

    installation = Installation.from_environment()
    chosen = chosen_files(installation, tenant_key, feed_key, states)
    for line in _table(chosen, limit):
        click.echo(line)
    if not states:
        for waiting in awaited_uploads(installation, utc_now()):
            click.echo(f"{waiting.upload.path} waits for {waiting.what_for}")


def _table(chosen: "pl.DataFrame", limit: int) -> Iterator[str]:
    counts = chosen.group_by("state").len().sort("state").rows()
    yield ", ".join(f"{count} {state}" for state, count in counts) or "no file is registered"
    columns = ("file_id", "state", "tenant_key", "feed_key", "name", "landing_day", "records")
    for row in chosen.tail(limit).select(*columns, "reason").rows():
        file_id, state, owner, feed, name, day, records, reason = row
        why = f"  {reason}" if state in ("quarantined", "discarded") and reason else ""
        yield f"{file_id:>7}  {state:<11} {owner}/{feed}/{name}  {day}  {records or 0} records{why}"


@files.command()
@click.argument("file_id", type=int)
def show(file_id: int) -> None:
    """Show all that is known of a file: its records, its days, why it is held, who decided."""
    from billing_pipeline.orchestration.file_register import file_story
    from billing_pipeline.orchestration.installation import Installation

    for line in file_story(Installation.from_environment(), file_id):
        click.echo(line)


@files.command()
@click.argument("file_ids", type=int, nargs=-1, required=True)
@by_and_note
def release(file_ids: tuple[int, ...], by: str, note: str) -> None:
    """Let held files be loaded after all; the next run of their landing day loads them."""
    from billing_pipeline.orchestration.file_register import release_files
    from billing_pipeline.orchestration.installation import Installation

    release_files(Installation.from_environment(), file_ids, by=by, note=_said(note))
    click.echo(f"released {len(file_ids)} file(s)")


@files.command()
@click.argument("file_ids", type=int, nargs=-1, required=True)
@by_and_note
def discard(file_ids: tuple[int, ...], by: str, note: str) -> None:
    """Give held files up; the archive keeps them."""
    from billing_pipeline.orchestration.file_register import discard_files
    from billing_pipeline.orchestration.installation import Installation

    discard_files(Installation.from_environment(), file_ids, by=by, note=_said(note))
    click.echo(f"discarded {len(file_ids)} file(s)")


@files.command()
@click.argument("tenant_key")
@click.argument("landed_on", type=click.DateTime(["%Y-%m-%d"]))
@by_and_note
def reload(tenant_key: str, landed_on: dt.datetime, by: str, note: str) -> None:
    """Read the files that landed on a day anew from the archive, after mending their feed.

    Until all of them are read, what they were loaded as stays; then their usage days are computed
    again, and the next bill run posts the difference.
    """
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.load import Loader
    from billing_pipeline.orchestration.steps.stale import compute_stale_days

    installation = Installation.from_environment()
    now = utc_now()
    loaded = Loader(installation, now).reload_landing_day(
        tenant_key, landed_on.date(), by=by, note=_said(note)
    )
    compute_stale_days(installation, now)
    click.echo(
        f"{loaded.files} files, {loaded.records} records: {loaded.accepted} accepted, "
        f"{loaded.suspended} suspended, {loaded.filtered} filtered"
    )
    for line in loaded.quarantined:
        click.echo(f"held: {line}")


def _said(note: str) -> str:
    if not note:
        raise click.UsageError("say why: --note")
    return note
