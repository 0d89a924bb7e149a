"""What a price model offers to the stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from billing_pipeline.rating.cards import FlattenedCard

Cards = Mapping[str, FlattenedCard]
"""Flattened rate cards and supplier decks by key."""


class EventPricing(Protocol):
    """Prepared prices of one model, ready for any number of events."""

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Price events; `events.price` is the position of their price among those prepared.

        Shape: row by row, columns PRICED. `events` has the columns of USAGE_EVENTS that
        `price_book.EVENT_COLUMNS` names, and `local_start`, the tenant's wall clock.
        """
        ...


class Prepare(Protocol):
    """Builds the prepared prices of one model from its configured prices."""

    def __call__(self, prices: Sequence[Any]) -> EventPricing:
        """Prepare `prices`, all of this model."""
        ...


@dataclass(frozen=True)
class EventModel:
    """A price model by the name configuration gives it."""

    name: str
    prepare: Prepare
