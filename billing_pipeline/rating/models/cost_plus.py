"""What the supplier takes, and a margin on it.

Worked example: the deck has 4477 at 0.06 a minute, 60/60; 90 s cost us 120 x 0.06 / 60 = 0.12.
With 25 % and 0.01 a call the customer pays 0.12 x 125 / 100 + 0.01 = 0.16.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.prices import CostPlusUsage
from billing_pipeline.rating.cards import FlattenedCard
from billing_pipeline.rating.exact import (
    ONE,
    WHOLE,
    decimals,
    rounded_quotient,
    to_whole,
    too_large_to_multiply,
    wholes,
)
from billing_pipeline.rating.models.apart import priced_apart
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.prefixes import number_key
from billing_pipeline.rating.priced import completed
from billing_pipeline.rating.spans import priced_by_card
from billing_pipeline.vocabulary.outcome import SuspenseReason

_HUNDRED = 100


@dataclass(frozen=True)
class CostPlusPricing:
    """The deck of each price, and the margin on it in ten-billionths."""

    decks: tuple[str, ...]
    margins: pl.DataFrame

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Price each event by what it costs us."""
        keyed = events.with_columns(number=number_key(pl.col("destination")))
        cost = priced_apart(keyed, self.decks, lambda part, key: _cost(part, cards[key]))
        margins = self.margins.select(pl.all().gather(events.get_column("price")))
        given = cost.hstack(margins).with_columns(cost=wholes(pl.col("cost_amount")))
        too_large = too_large_to_multiply(given, pl.col("cost"), pl.col("percent"))
        fits = pl.lit(value=True) if too_large is None else ~pl.lit(too_large)
        marked_up = rounded_quotient(
            pl.col("cost") * pl.col("percent"), pl.lit(_HUNDRED * ONE, dtype=WHOLE)
        )
        fixed = pl.when(pl.col("billable_units") != 0).then("fixed").otherwise(0)
        amount = marked_up + fixed * pl.col("billable_units").sign().cast(WHOLE)
        return completed(
            given.with_columns(amount=decimals(pl.when(fits).then(amount))).with_columns(
                reason=pl.when(pl.col("amount").is_null()).then(
                    pl.coalesce("reason", pl.lit(SuspenseReason.NO_DESTINATION.value))
                ),
                detail=pl.when(pl.col("amount").is_null()).then(
                    pl.format(
                        "no supplier price for {}",
                        pl.lit(events.get_column("destination")).fill_null("(none)"),
                    )
                ),
            )
        )


def _cost(events: pl.DataFrame, deck: FlattenedCard) -> pl.DataFrame:
    costed = priced_by_card(events, deck).drop("unit_price", "connection_fee")
    return costed.rename({"amount": "cost_amount"}).with_columns(cost_prefix=pl.col("rate_prefix"))


def prepare(prices: Sequence[CostPlusUsage]) -> CostPlusPricing:
    """Note each price's deck and margin."""
    rows = [
        {
            "percent": to_whole(_HUNDRED + Decimal(price.margin_percent)),
            "fixed": to_whole(price.fixed),
        }
        for price in prices
    ]
    return CostPlusPricing(
        decks=tuple(price.cost_deck for price in prices),
        margins=pl.DataFrame(rows, schema={"percent": WHOLE, "fixed": WHOLE}),
    )


COST_PLUS = EventModel("cost_plus", prepare)
