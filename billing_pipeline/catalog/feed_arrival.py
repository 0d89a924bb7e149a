"""How files of a feed arrive: when one is complete, and what a name that came before means."""

from typing import Literal

from pydantic import Field

from billing_pipeline.vocabulary.configuration import Configuration


class Arrival(Configuration):
    """When an upload is taken, and what its name says.

        arrival: {marker: .done, unfinished: [.writing], stable_seconds: 60, same_name: replace}

    marker: the upload is complete when a file of its name and this ending lies beside it
      (`cdr_1.csv` with `cdr_1.csv.done` or `cdr_1.done`); the marker itself is never read.
    unfinished: endings of names that are still being written, beside .tmp, .part and their like.
    stable_seconds: it must have been left alone for so long.
    same_name: a file whose name was loaded before with other content is held for a person
      (`hold`), replaces the earlier one and all it brought (`replace`), or is one more (`add`).
    """

    marker: str | None = Field(default=None, pattern=r"^[._-][A-Za-z0-9._-]+$")
    unfinished: list[str] = []
    stable_seconds: int = Field(default=5, ge=0)
    same_name: Literal["hold", "replace", "add"] = "hold"
