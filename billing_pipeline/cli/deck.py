"""`billing deck`: suppliers' decks and price lists into the cards of a tenant folder."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

if TYPE_CHECKING:
    from billing_pipeline.orchestration.decks import Deck

_MOST_SHOWN = 20
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Order(TypedDict):
    """What every deck command is told beside the card and the file."""

    layout: str
    valid_from: dt.datetime
    is_whole: bool
    most: Decimal | None
    codes: Path | None


@click.group()
def deck() -> None:
    """Decks of suppliers and price lists, looked at before they are taken over."""


def _deck_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments every deck command has."""
    for decorate in reversed(
        (
            click.argument("directory", type=_DIRECTORY),
            click.argument("card"),
            click.argument("file", type=_FILE),
            click.option("--layout", default="plain", show_default=True,
                         help="A known layout (billing deck layouts) or a YAML file."),
            click.option("--from", "valid_from", required=True, type=click.DateTime(["%Y-%m-%d"]),
                         help="First day of rows that have no day of their own."),
            click.option("--replace/--amend", "is_whole", default=True, show_default=True,
                         help="Whether what FILE does not name ends, or stays."),
            click.option("--most", type=Decimal, help="A price above it is absurd."),
            click.option("--codes", type=_FILE,
                         help="The prefixes of a deck that names destinations by codes."),
        )
    ):  # fmt: skip
        command = decorate(command)
    return command


@deck.command()
@_deck_options
def check(directory: Path, card: str, file: Path, **order: Unpack[_Order]) -> None:
    """Show what is odd about FILE for CARD of the tenant folder DIRECTORY; changes nothing."""
    read = _read(directory, card, file, **order)
    _echo_findings(read)
    raise SystemExit(1 if read.mistakes else 0)


@deck.command()
@_deck_options
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="Day to compare; --from's.")
def diff(
    directory: Path, card: str, file: Path, on: dt.datetime | None, **order: Unpack[_Order]
) -> None:
    """Show what FILE would change of CARD, prefix by prefix; changes nothing."""
    read = _read(directory, card, file, **order)
    day = (on or order["valid_from"]).date()
    found = read.differences(day)
    counts = found.group_by("change").len().sort("change").rows()
    told = ", ".join(f"{count} {change}" for change, count in counts) or "nothing changes"
    click.echo(f"{card} on {day}: {told}")
    for row in found.select("prefix", "band", "old_price", "new_price", "change").rows()[
        :_MOST_SHOWN
    ]:
        prefix, band, old, new, change = row
        click.echo(f"  {change} {prefix} {band}: {_price(old)} -> {_price(new)}")
    if found.height > _MOST_SHOWN:
        click.echo(f"    ... and {found.height - _MOST_SHOWN} more")


@deck.command("import")
@_deck_options
@click.option("--accept", is_flag=True, help="Take it over in spite of remarks.")
def import_(
    directory: Path, card: str, file: Path, *, accept: bool, **order: Unpack[_Order]
) -> None:
    """Write FILE's prices into rate_cards/CARD.csv; `billing catalog apply` then applies them."""
    from billing_pipeline.orchestration.decks import take_over

    read = _read(directory, card, file, **order)
    path = take_over(directory, read, accept_remarks=accept)
    _echo_findings(read)
    click.echo(f"wrote {path}: {read.after.height} rows; apply them with billing catalog apply")


@deck.command()
@click.argument("name", required=False)
def layouts(name: str | None) -> None:
    """List the known layouts, or show one as the file it could stand in."""
    from billing_pipeline.catalog.deck_layouts import LAYOUTS
    from billing_pipeline.intake.deck_files import layout_text, read_layout

    if name is not None:
        click.echo(layout_text(read_layout(name)), nl=False)
        return
    for known, layout in LAYOUTS.items():
        click.echo(f"{known}: prefix in {layout.prefix!r}, price in {layout.unit_price!r}")


def _read(directory: Path, card: str, file: Path, **order: Unpack[_Order]) -> "Deck":
    from billing_pipeline.orchestration.decks import DeckOrder, read_deck_for

    asked = DeckOrder(
        layout=order["layout"],
        valid_from=order["valid_from"].date(),
        is_whole=order["is_whole"],
        most=order["most"],
        codes=order["codes"],
    )
    return read_deck_for(directory, card, file, asked)


def _echo_findings(read: "Deck") -> None:
    click.echo(
        f"{read.card.key}: {read.stated.height} prices stated, {read.after.height} rows after it,"
        f" {len(read.mistakes)} mistakes, {len(read.remarks)} remarks"
    )
    for kind, problems in (("mistake", read.mistakes), ("remark", read.remarks)):
        for problem in problems[:_MOST_SHOWN]:
            click.echo(f"  {kind}: {problem}")
        if len(problems) > _MOST_SHOWN:
            click.echo(f"    ... and {len(problems) - _MOST_SHOWN} more")


def _price(price: Decimal | None) -> str:
    return "none" if price is None else f"{price.normalize():f}"
