"""Pricing the events of each price, or of each card, apart from the others."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import polars as pl

Thing = TypeVar("Thing")


def priced_apart(
    events: pl.DataFrame,
    things: Sequence[Thing],
    priced: Callable[[pl.DataFrame, Thing], pl.DataFrame],
) -> pl.DataFrame:
    """Answers of `priced` for the events of each thing, put back in the order of events.

    `things` are what each price is priced by, in the order of prices; `events.price` points
    into them. Equal things are asked once.
    """
    distinct = list(dict.fromkeys(things))
    if len(distinct) == 1:
        return priced(events, distinct[0])
    numbers = pl.Series("thing", [distinct.index(thing) for thing in things], dtype=pl.UInt32)
    placed = events.with_columns(
        thing=numbers.gather(events.get_column("price")),
        position=pl.int_range(pl.len(), dtype=pl.UInt32),
    )
    parts = []
    for number, thing in enumerate(distinct):
        part = placed.filter(pl.col("thing") == number)
        parts.append(priced(part, thing).with_columns(part.get_column("position")))
    return pl.concat(parts).sort("position").drop("position")
