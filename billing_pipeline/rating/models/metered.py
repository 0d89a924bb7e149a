"""What a meter shows: an event only says its value, its group and what is counted once.

Worked example: `unique` of attribute user, grouped by region: ann and bob in the north, ann in
the south are 2 + 1 = 3 users at 4.00 each: 12.00. `rating.metering` takes the aggregate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.prices import MeteredUsage
from billing_pipeline.rating.models.apart import priced_apart
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.priced import completed
from billing_pipeline.rating.selectors import field_value
from billing_pipeline.vocabulary.money import AMOUNT

_PLAIN_FIELDS = ("direction", "origin", "destination", "usage_type")
_NO_VALUE = "(none)"


@dataclass(frozen=True)
class MeteredPricing:
    """The fields each price groups by and counts."""

    fields: tuple[tuple[tuple[str, ...], str | None], ...]

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Hand the value on with amount zero: the period prices, the event waits."""
        del cards
        return priced_apart(events, self.fields, _noted)


def _noted(events: pl.DataFrame, fields: tuple[tuple[str, ...], str | None]) -> pl.DataFrame:
    groups, counted = fields
    group = pl.concat_str([_value(name) for name in groups], separator=" / ") if groups else None
    return completed(
        events.select(
            billable_units="quantity",
            amount=pl.lit(0, dtype=pl.Int64).cast(AMOUNT),
            meter_group=pl.lit(None, dtype=pl.String) if group is None else group,
            meter_value=pl.lit(None, dtype=pl.String) if counted is None else _value(counted),
        )
    )


def _value(name: str) -> pl.Expr:
    field = name if name in _PLAIN_FIELDS else f"attributes.{name}"
    return field_value(field).fill_null(_NO_VALUE)


def prepare(prices: Sequence[MeteredUsage]) -> MeteredPricing:
    """Note what each price groups by and counts."""
    return MeteredPricing(tuple((tuple(price.group_by), price.field) for price in prices))


METERED = EventModel("metered", prepare)
