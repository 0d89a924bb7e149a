"""Examples a card carries: priced by the card, compared with what they must cost."""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.rating.cards import flattened_card
from billing_pipeline.rating.prefixes import number_key
from billing_pipeline.rating.spans import priced_by_card
from billing_pipeline.rating.terms import SECONDS
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY
from billing_pipeline.vocabulary.problems import Problem


def broken_examples(
    cards: Sequence[RateCard], rate_card_prices: pl.DataFrame, time_zone: str
) -> list[Problem]:
    """Examples of cards that their rows do not price as they say.

    `cards` are all of `rate_cards.yaml`, `rate_card_prices` is RATE_CARD_PRICES, `time_zone` the
    tenant's.
    """
    return [
        problem
        for position, card in enumerate(cards)
        if card.examples
        for problem in _broken(card, position, rate_card_prices, time_zone)
    ]


def _broken(
    card: RateCard, position: int, rate_card_prices: pl.DataFrame, time_zone: str
) -> list[Problem]:
    local = pl.Series(
        [one.at.replace(tzinfo=None) for one in card.examples], dtype=pl.Datetime("us")
    )
    calls = pl.DataFrame(
        {
            "destination": [one.destination for one in card.examples],
            "quantity": [one.quantity for one in card.examples],
            "amount": [one.amount for one in card.examples],
        },
        schema={"destination": pl.String, "quantity": QUANTITY, "amount": AMOUNT},
    ).with_columns(
        number=number_key(pl.col("destination")),
        local_start=local,
        unit=pl.lit(SECONDS),
        started_at=local.dt.replace_time_zone(
            time_zone, ambiguous="earliest", non_existent="null"
        ).dt.convert_time_zone("UTC"),
    )
    priced = priced_by_card(calls, flattened_card(card, rate_card_prices, time_zone))
    found = priced.select(got="amount", prefix="rate_prefix")
    return [
        Problem(
            "rate_cards.yaml", None, f"rate_cards/{position}/examples/{number}",
            f"{destination} costs {_told(got)}"
            + (f" by prefix {prefix}" if prefix else "")
            + f", but must cost {_told(amount)}",
        )
        for number, (destination, amount, got, prefix) in enumerate(
            calls.select("destination", "amount").hstack(found).rows()
        )
        if amount != got
    ]  # fmt: skip


def _told(amount: Decimal | None) -> str:
    return "nothing: it has no price" if amount is None else f"{amount.normalize():f}"
