"""A price by the zones of origin and destination.

Worked example: zones home (49) and near (43, 41); home to home 0.01, any to near 0.05 a minute:
120 s from 4930 to 4312 cost 0.10, from 4930 to 4940 cost 0.02, from 4312 to 4930 have no price.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.prices import ZoneMatrixUsage
from billing_pipeline.rating.models.apart import priced_apart
from billing_pipeline.rating.models.model import Cards, EventModel
from billing_pipeline.rating.prefixes import PrefixIndex, number_key, prefix_index
from billing_pipeline.rating.priced import completed
from billing_pipeline.rating.terms import Terms, priced_by, term_row, terms_of_rows
from billing_pipeline.vocabulary.outcome import SuspenseReason

_ANY = "any"


@dataclass(frozen=True)
class Matrix:
    """One price: zones by prefix, and the row of terms for each pair of zones.

    Zones are numbered from 0, a number in no zone has the number after the last; `pairs` is the
    matrix row by row, null where a pair has no price.
    """

    zones: PrefixIndex
    size: int
    pairs: pl.Series
    terms: Terms
    names: pl.Series


@dataclass(frozen=True)
class ZoneMatrixPricing:
    """The matrix of each price."""

    matrices: tuple[Matrix, ...]

    def price_events(self, events: pl.DataFrame, cards: Cards) -> pl.DataFrame:
        """Price each event by the pair of its zones."""
        del cards
        return completed(
            priced_apart(
                events,
                range(len(self.matrices)),
                lambda part, number: _priced(part, self.matrices[number]),
            )
        )


def _priced(events: pl.DataFrame, matrix: Matrix) -> pl.DataFrame:
    keys = events.select(number_key(pl.col("origin")), number_key(pl.col("destination")))
    origin, destination = (
        matrix.zones.longest(key).fill_null(matrix.size) for key in keys.get_columns()
    )
    rows = matrix.pairs.gather(origin * (matrix.size + 1) + destination)
    priced = priced_by(events, matrix.terms, rows).with_columns(
        matrix.names.gather(rows).alias("rate_name")
    )
    has_no_price = pl.lit(rows.is_null())
    pair = pl.format(
        "no price from {} to {}",
        pl.lit(events.get_column("origin")).fill_null("(none)"),
        pl.lit(events.get_column("destination")).fill_null("(none)"),
    )
    return priced.with_columns(
        reason=pl.when(has_no_price)
        .then(pl.lit(SuspenseReason.NO_DESTINATION.value))
        .otherwise("reason"),
        detail=pl.when(has_no_price).then(pair),
    )


def prepare(prices: Sequence[ZoneMatrixUsage]) -> ZoneMatrixPricing:
    """Flatten the zones of each price."""
    return ZoneMatrixPricing(tuple(_matrix(price) for price in prices))


def _matrix(price: ZoneMatrixUsage) -> Matrix:
    zones = list(price.zones)
    prefixes = [(text, number) for number, zone in enumerate(zones) for text in price.zones[zone]]
    rows = [
        term_row(
            amount=zone_price.amount,
            pricing_unit=price.pricing_unit,
            fee=zone_price.connection_fee,
            fee_on=price.connection_fee_on,
            increments=price.increments,
        )
        for zone_price in price.prices
    ]
    places = {(pair.origin, pair.destination): row for row, pair in enumerate(price.prices)}
    pairs = [
        _most_specific(places, origin, destination)
        for origin in (*zones, None)
        for destination in (*zones, None)
    ]
    return Matrix(
        zones=prefix_index(
            pl.Series([text for text, _ in prefixes]),
            pl.Series([number for _, number in prefixes], dtype=pl.UInt32),
        ),
        size=len(zones),
        pairs=pl.Series("row", pairs, dtype=pl.UInt32),
        terms=terms_of_rows(rows),
        names=pl.Series(
            "rate_name",
            [f"{pair.origin or _ANY} to {pair.destination or _ANY}" for pair in price.prices],
        ),
    )


def _most_specific(
    places: dict[tuple[str | None, str | None], int], origin: str | None, destination: str | None
) -> int | None:
    """Row of the pair itself, else of its destination, else of its origin, else of any pair."""
    candidates = ((origin, destination), (None, destination), (origin, None), (None, None))
    return next((places[pair] for pair in candidates if pair in places), None)


ZONE_MATRIX = EventModel("zone_matrix", prepare)
