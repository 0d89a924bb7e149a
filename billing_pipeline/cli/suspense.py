"""`billing suspense`: what waits, why, what it is worth, and what is done about it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billing_pipeline.cli.people import by_and_note, decision_of

if TYPE_CHECKING:
    from billing_pipeline.orchestration.suspense import Choice

_CHOICE = (
    click.option("--tenant", "tenant_key", help="Only what this tenant holds."),
    click.option("--stage", type=click.Choice(["decode", "mediate", "rate"])),
    click.option("--reason", help="Only records with this reason."),
    click.option("--feed", "feed_key", help="Only records of this feed."),
    click.option("--identifier", "service_identifier", help="Only this number, meter ..."),
    click.option("--file", "file_key", help="Only records of the file with this key."),
    click.option("--record", "record_number", type=int, help="Only this record of the file."),
)
_STATE = click.option(
    "--state",
    type=click.Choice(["open", "recycled", "resolved", "written_off", "all"]),
    default="open",
    show_default=True,
)
Command = Callable[..., None]


def _choosing(command: Command) -> Command:
    """Options that say which records are meant."""
    for option in reversed(_CHOICE):
        command = option(command)
    return command


def _choice(given: dict[str, Any]) -> "Choice":
    from billing_pipeline.orchestration.suspense import Choice

    return Choice(**given)


@click.group()
def suspense() -> None:
    """Records a stage could not take on."""


@suspense.command("list")
@_choosing
@_STATE
@click.option(
    "--by", type=click.Choice(["reason", "feed", "identifier"]), default="reason", show_default=True
)
@click.option("--limit", default=50, show_default=True)
def list_groups(by: str, limit: int, **given: Any) -> None:  # noqa: ANN401 - options of a choice
    """Count what is in suspense by reason, feed or identifier; oldest, attempts, value."""
    from billing_pipeline.cli.suspense_words import group_lines
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.suspense import grouped, read_lives

    lives = read_lives(Installation.from_environment(), _choice(given))
    for line in group_lines(grouped(lives, by), by, utc_now(), limit):
        click.echo(line)


@suspense.command()
@_choosing
@_STATE
@click.option("--limit", default=20, show_default=True)
def show(limit: int, **given: Any) -> None:  # noqa: ANN401 - options of a choice
    """Show records with their text, file, record number, age, attempts and decisions."""
    from billing_pipeline.cli.suspense_words import record_lines
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.suspense import read_lives, with_details

    installation = Installation.from_environment()
    lives = read_lives(installation, _choice(given))
    for line in record_lines(with_details(installation, lives.head(limit)), utc_now()):
        click.echo(line)
    if lives.height > limit:
        click.echo(f"... and {lives.height - limit} more (--limit)")


@suspense.command()
@_choosing
@by_and_note
def recycle(by: str, note: str, **given: Any) -> None:  # noqa: ANN401 - options of a choice
    """Compute the days of suspended records again, after mending catalog or customers."""
    from billing_pipeline.orchestration import suspense_actions
    from billing_pipeline.orchestration.installation import Installation

    recycled = suspense_actions.recycle(
        Installation.from_environment(), _choice(given), decision_of(by, note)
    )
    click.echo(f"{recycled.before} records were in suspense, {recycled.after} still are")


@suspense.command("write-off")
@_choosing
@by_and_note
@click.option("--yes", is_flag=True, help="Do not ask.")
def write_off(by: str, note: str, *, yes: bool, **given: Any) -> None:  # noqa: ANN401 - options of a choice
    """Give records up for good: they stay counted, are never billed, and who and why is kept."""
    from billing_pipeline.orchestration import suspense_actions
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.suspense import read_lives

    choice = _choice(given)
    if not choice.is_narrow:
        raise click.UsageError("say which records: --reason, --feed, --identifier or --file")
    if not note:
        raise click.UsageError("say why: --note")
    installation = Installation.from_environment()
    if not yes:
        lives = read_lives(installation, choice)
        click.confirm(f"write off {lives.height} records worth {_worth(lives)}?", abort=True)
    gone = suspense_actions.write_off(installation, choice, decision_of(by, note))
    click.echo(f"wrote off {gone.height} records worth {_worth(gone)}")


@suspense.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@_choosing
@_STATE
def export(out: Path, **given: Any) -> None:  # noqa: ANN401 - options of a choice
    """Write records with all that is known of them to OUT, as .csv or .parquet.

    In a .csv what a spreadsheet would run as a formula gets an apostrophe; .parquet is exact.
    """
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.suspense import read_lives, with_details
    from billing_pipeline.vocabulary.spreadsheets import as_shown

    installation = Installation.from_environment()
    rows = with_details(installation, read_lives(installation, _choice(given)))
    if out.suffix == ".parquet":
        rows.write_parquet(out)
    else:
        rows.with_columns(as_shown()).write_csv(out)
    click.echo(f"wrote {rows.height} records to {out}")


def _worth(lives: Any) -> str:  # noqa: ANN401 - a frame, imported late
    from billing_pipeline.orchestration.suspense_actions import worth

    parts = [f"about {value:z.2f} {currency}" for currency, value in worth(lives).items()]
    return " and ".join(parts) or "nobody knows what"
