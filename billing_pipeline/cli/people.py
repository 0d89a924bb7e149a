"""Who decides and why: options of every command that keeps a person's decision."""

import getpass
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from billing_pipeline.orchestration.suspense_actions import Decision

Command = Callable[..., None]


def by_and_note(command: Command) -> Command:
    """Options --by and --note."""
    who = click.option("--by", default=getpass.getuser, show_default="you", help="Who decides.")
    why = click.option("--note", default="", help="Why, for the log of decisions.")
    return who(why(command))


def decision_of(by: str, note: str) -> "Decision":
    """A decision of this instant."""
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.suspense_actions import Decision

    return Decision(by, utc_now(), note)
