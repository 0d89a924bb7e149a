"""Checks of rate-card rows against their header and against each other."""

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.vocabulary.problems import ROW, Problem, problems_in

RATE_CARD_FILE = "rate_cards/{}.csv"

_ANY_TIME = ""


def check_rate_cards(catalog: Catalog, prices: pl.DataFrame) -> list[Problem]:
    """Rows that contradict their header or another row, and headers without rows.

    Shape: `prices` is RATE_CARD_PRICES with ROW.
    """
    cards = catalog.rate_card_by_key
    rows_by_card = {str(key): rows for (key,), rows in prices.group_by("card_key")}
    problems = [
        problem
        for key, rows in sorted(rows_by_card.items())
        if key in cards
        for problem in check_card_rows(cards[key], rows)
    ]
    for position, card in enumerate(catalog.rate_cards):
        if card.key not in rows_by_card:
            message = f"has no rows; put them into {RATE_CARD_FILE.format(card.key)}"
            problems.append(Problem("rate_cards.yaml", None, f"rate_cards/{position}", message))
    return problems


def check_card_rows(card: RateCard, rows: pl.DataFrame) -> list[Problem]:
    """Rows of one card that contradict its header or each other. Shape: `rows` has ROW."""
    file = RATE_CARD_FILE.format(card.key)
    bands = [_ANY_TIME, *(band.key for band in card.bands)]
    band, prefix = pl.col("band"), pl.col("prefix")
    span_message = pl.lit("must be after valid_from; it is the day after the last")
    return [
        *problems_in(
            rows,
            file,
            "band",
            ~band.is_in(bands),
            pl.format("'{}' is no band of this card in rate_cards.yaml", band),
        ),
        *problems_in(
            rows, file, "valid_until", pl.col("valid_until") <= pl.col("valid_from"), span_message
        ),
        *problems_in(
            _with_predecessor(rows),
            file,
            "prefix",
            pl.col("row_before").is_not_null(),
            pl.format(
                "{} has a price for the same days in row {}; end that row with valid_until"
                " or remove one of the two",
                prefix,
                pl.col("row_before"),
            ),
        ),
    ]


def _with_predecessor(rows: pl.DataFrame) -> pl.DataFrame:
    """Each row with the row of the same prefix and band it overlaps, if it does.

    Sorted by start, any overlap shows between two neighbours.
    """
    before = {name: pl.col(name).shift(1) for name in ("prefix", "band", "valid_until", ROW)}
    is_overlap = (
        (before["prefix"] == pl.col("prefix"))
        & (before["band"] == pl.col("band"))
        & (before["valid_until"].is_null() | (before["valid_until"] > pl.col("valid_from")))
    )
    return rows.sort("prefix", "band", "valid_from", ROW).with_columns(
        row_before=pl.when(is_overlap).then(before[ROW])
    )
