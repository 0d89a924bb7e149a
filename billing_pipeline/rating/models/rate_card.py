"""A price by the longest prefix of the destination, with the supplier's cost beside it.

Worked example: 44 at 0.02 and 447 at 0.09 a minute, 1/1; 90 s to 447700900123 take prefix 447:
90 x 0.09 / 60 = 0.135. The supplier's deck has 4477 at 0.06, 60/60: 120 x 0.06 / 60 = 0.12 cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.prices import RateCardUsage
from billing_pipeline.rating.cards import FlattenedCard
from billing_pipeline.rating.models.apart import priced_apart
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.prefixes import number_key
from billing_pipeline.rating.priced import capped, completed
from billing_pipeline.rating.spans import priced_by_card
from billing_pipeline.rating.terms import amounts_by
from billing_pipeline.vocabulary.money import AMOUNT
from billing_pipeline.vocabulary.outcome import SuspenseReason


@dataclass(frozen=True)
class RateCardPricing:
    """The card and the cost deck of each price, and what its events cost at most (null: no cap)."""

    cards: tuple[str, ...]
    cost_decks: tuple[str | None, ...]
    maximum: pl.Series

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Price each event by its price's card, and its cost by the deck."""
        keyed = events.with_columns(number=number_key(pl.col("destination")))
        sale = priced_apart(keyed, self.cards, lambda part, key: _sale(part, cards[key]))
        cost = priced_apart(
            keyed,
            self.cost_decks,
            lambda part, key: cost_by_deck(part, None if key is None else cards[key]),
        )
        return capped(completed(sale.hstack(cost)), self.maximum, events.get_column("price"))


def _sale(events: pl.DataFrame, card: FlattenedCard) -> pl.DataFrame:
    answer = priced_by_card(events, card)
    if answer.get_column("amount").null_count() == 0:
        return answer
    return answer.with_columns(
        pl.when(pl.col("amount").is_null())
        .then(pl.coalesce("reason", pl.lit(SuspenseReason.NO_DESTINATION.value)))
        .alias("reason"),
        _why_unpriced(card.key, events.get_column("destination")).alias("detail"),
    )


def _why_unpriced(card: str, destination: pl.Series) -> pl.Expr:
    number = pl.lit(destination)
    return (
        pl.when(pl.col("amount").is_not_null())
        .then(pl.lit(None, dtype=pl.String))
        .when(pl.col("reason").is_not_null())
        .then(pl.lit("quantity is too large to be priced"))
        .when(number.is_null())
        .then(pl.lit("event has no destination"))
        .when(pl.col("rate_prefix").is_null())
        .then(pl.format(f"no prefix of {card} matches {{}}", number))
        .otherwise(pl.format(f"prefix {{}} of {card} is blocked", "rate_prefix"))
    )


def cost_by_deck(events: pl.DataFrame, deck: FlattenedCard | None) -> pl.DataFrame:
    """What the supplier takes: cost_amount and cost_prefix, null where its deck has no price."""
    if deck is None:
        return completed(events.select("quantity")).select("cost_amount", "cost_prefix")
    if deck.is_split:
        return priced_by_card(events, deck).select(cost_amount="amount", cost_prefix="rate_prefix")
    rows = deck.row_of(events)
    return amounts_by(events, deck.terms, rows).select(
        pl.col("amount").alias("cost_amount"), deck.rows["prefix"].gather(rows).alias("cost_prefix")
    )


def prepare(prices: Sequence[RateCardUsage]) -> RateCardPricing:
    """Note each price's card and deck."""
    return RateCardPricing(
        cards=tuple(price.card for price in prices),
        cost_decks=tuple(price.cost_deck for price in prices),
        maximum=pl.Series("maximum", [price.maximum for price in prices], dtype=AMOUNT),
    )


RATE_CARD = EventModel("rate_card", prepare)
