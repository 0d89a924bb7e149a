"""Reading a supplier's deck or a card in any layout into rate-card rows, by a declaration.

    layout = DeckLayout(prefix="PREFIX", name="DESTINATION", unit_price="RATE", decimal_mark=",")

Nothing is guessed and nothing is dropped: every row becomes prices or a problem with its row.
"""

import datetime as dt
from decimal import Decimal
from typing import Literal, NamedTuple

import polars as pl
from pydantic import Field

from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.vocabulary.configuration import Configuration
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY
from billing_pipeline.vocabulary.problems import ROW, Problem, problems_in

LONGEST_PREFIX = 15
MOST_IN_RANGE = 10_000
"""A range of more prefixes than this is a mistake, such as an end of another length."""

_RANGE = r"^([0-9]+)-([0-9]+)$"


class DeckLayout(Configuration):
    """In which columns of a deck's table its prices stand, and how they are written.

    A cell of prefixes may hold several (`61 38,39` is 6138 and 6139: what stands before the
    first space begins each of them) and ranges (`9370-9379`). A leading + or 00 is taken off.
    """

    prefix: str
    name: str | None = None
    unit_price: str
    connection_fee: str | None = None
    minimum_units: str | None = None
    increment_units: str | None = None
    band: str | None = None
    bands: dict[str, str] = Field(default={}, description="the deck's word -> band of the card")
    valid_from: str | None = None
    valid_until: str | None = None
    country_code: str = Field(default="", description="digits that stand before every prefix")
    date_format: str = "%Y-%m-%d"
    decimal_mark: Literal[".", ","] = "."
    blocked: list[str] = Field(default=["", "-1"], description="prices that mean blocked")


class ReadDeck(NamedTuple):
    """RATE_CARD_PRICES with ROW, and what could not be read."""

    prices: pl.DataFrame
    problems: list[Problem]


def read_deck(
    cells: pl.DataFrame, layout: DeckLayout, card: RateCard, valid_from: dt.date, file: str
) -> ReadDeck:
    """Prices of a table of texts with a ROW column, as people count rows.

    What the deck does not say comes from the card's header; `valid_from` is the day from which
    rows without a date of their own hold. Rows with a mistake give a problem and no price.
    """
    missing = [name for name in _columns(layout) if name not in cells.columns]
    if missing:
        message = f"has no column {missing}; it has {cells.columns}"
        return ReadDeck(_empty(), [Problem(file, 1, None, message)])
    parsed = _with_prefixes(
        cells.select(ROW, **_parsed(layout, card, valid_from)), layout.country_code
    )
    problems = _mistakes(parsed, file)
    wrong = parsed.filter(pl.any_horizontal(pl.col("is_wrong"))).get_column(ROW).unique()
    good = parsed.filter(~pl.col(ROW).is_in(wrong.implode()))
    return ReadDeck(good.select(*RATE_CARD_PRICES.names, ROW), problems)


def _columns(layout: DeckLayout) -> list[str]:
    named = (
        layout.prefix,
        layout.name,
        layout.unit_price,
        layout.connection_fee,
        layout.minimum_units,
        layout.increment_units,
        layout.band,
        layout.valid_from,
        layout.valid_until,
    )
    return [name for name in named if name is not None]


def _empty() -> pl.DataFrame:
    return RATE_CARD_PRICES.empty().with_columns(pl.lit(None, dtype=pl.Int64).alias(ROW))


def _text(column: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.strip_chars()


def _number(column: str | None, layout: DeckLayout, default: Decimal) -> pl.Expr:
    if column is None:
        return pl.lit(default).cast(AMOUNT)
    text = _text(column)
    if layout.decimal_mark == ",":
        text = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    plain = pl.when(text.str.contains(r"^-?[0-9]+(\.[0-9]{1,10})?$")).then(text)
    return plain.cast(AMOUNT, strict=False)


def _day(column: str, layout: DeckLayout) -> pl.Expr:
    """A day as the layout writes it; what follows it in the cell, a time, is left off."""
    length = len(dt.date(2000, 12, 31).strftime(layout.date_format))
    text = _text(column)
    cut = pl.when(text.str.len_chars() > length).then(text.str.head(length)).otherwise(text)
    return cut.str.to_date(layout.date_format, strict=False)


def _parsed(layout: DeckLayout, card: RateCard, valid_from: dt.date) -> dict[str, pl.Expr]:
    price = _text(layout.unit_price)
    is_blocked = price.is_in(layout.blocked)
    word = pl.lit("") if layout.band is None else _text(layout.band)
    day = pl.lit(valid_from)
    if layout.valid_from is not None:
        written = _text(layout.valid_from)
        day = pl.when(written == "").then(day).otherwise(_day(layout.valid_from, layout))
    until = pl.lit(None, dtype=pl.Date)
    if layout.valid_until is not None:
        until = _day(layout.valid_until, layout)
    return {
        "card_key": pl.lit(card.key),
        "valid_from": day,
        "valid_until": until,
        "cell": _text(layout.prefix),
        "band": word.replace(layout.bands) if layout.bands else word,
        "name": _text(layout.prefix if layout.name is None else layout.name),
        "unit_price": pl.when(~is_blocked).then(_number(layout.unit_price, layout, Decimal(0))),
        "is_blocked": is_blocked,
        "price_text": price,
        "connection_fee": _number(layout.connection_fee, layout, Decimal(0)),
        "minimum_units": _number(layout.minimum_units, layout, card.minimum_units).cast(QUANTITY),
        "increment_units": _number(layout.increment_units, layout, card.increment_units).cast(
            QUANTITY
        ),
        "known_band": word.replace(layout.bands).is_in(["", *(band.key for band in card.bands)]),
    }


def _with_prefixes(parsed: pl.DataFrame, country_code: str) -> pl.DataFrame:
    """One row per prefix of each cell: lists taken apart, ranges counted out, + and 00 off."""
    cell = pl.col("cell").str.replace(r"^(\+|00)", "")
    head = cell.str.extract(r"^([0-9]+) ").fill_null("")
    tail = cell.str.replace(r"^[0-9]+ +", "")
    listed = parsed.with_columns(head=head, part=tail.str.split(",")).explode("part")
    part = pl.col("part").str.strip_chars()
    bounds = [pl.concat_str("head", part.str.extract(_RANGE, group)) for group in (1, 2)]
    span = listed.with_columns(
        whole=pl.concat_str("head", part),
        first=bounds[0].cast(pl.Int64, strict=False),
        last=bounds[1].cast(pl.Int64, strict=False),
        digits=bounds[0].str.len_bytes(),
    )
    size = pl.col("last") - pl.col("first")
    is_range = size.is_between(0, MOST_IN_RANGE - 1) & (
        _length_of_end(part, 1) == _length_of_end(part, 2)
    )
    counted = span.with_columns(
        number=pl.when(is_range).then(
            pl.int_ranges(
                pl.when(is_range).then("first").otherwise(0),
                pl.when(is_range).then(pl.col("last") + 1).otherwise(1),
            )
        )
    ).explode("number")
    padded = pl.col("number").cast(pl.String).str.zfill(pl.col("digits"))
    prefix = pl.concat_str(pl.lit(country_code), pl.coalesce(padded, "whole"))
    return _judged(counted.with_columns(prefix=prefix))


def _length_of_end(part: pl.Expr, group: int) -> pl.Expr:
    """Digits of one end of a range; null where there is none. Shape: row by row."""
    return part.str.extract(_RANGE, group).str.len_bytes()


def _judged(rows: pl.DataFrame) -> pl.DataFrame:
    is_prefix = pl.col("prefix").str.contains(rf"^[0-9]{{1,{LONGEST_PREFIX}}}$")
    has_price = pl.col("is_blocked") | (pl.col("unit_price") >= 0).fill_null(value=False)
    has_terms = pl.all_horizontal(
        pl.col("connection_fee") >= 0, pl.col("minimum_units") >= 0, pl.col("increment_units") > 0
    ).fill_null(value=False)
    is_good = is_prefix & has_price & has_terms & pl.col("known_band")
    return rows.with_columns(
        bad_prefix=~is_prefix,
        bad_price=~has_price,
        bad_terms=~has_terms,
        is_wrong=~(is_good & pl.col("valid_from").is_not_null()),
    )


def _mistakes(rows: pl.DataFrame, file: str) -> list[Problem]:
    by_row = rows.unique(ROW, keep="first", maintain_order=True)
    prefixes = rows.filter("bad_prefix").unique(ROW, keep="first", maintain_order=True)
    return [
        *problems_in(
            prefixes,
            file,
            "prefix",
            pl.col("bad_prefix"),
            pl.format("'{}' is no prefix of digits, list or range", "cell"),
        ),
        *problems_in(
            by_row,
            file,
            "unit_price",
            pl.col("bad_price"),
            pl.format("'{}' is no price and not one that means blocked", "price_text"),
        ),
        *problems_in(
            by_row,
            file,
            "increment_units",
            pl.col("bad_terms"),
            pl.lit("fee, minimum or increment is no number, or negative"),
        ),
        *problems_in(
            by_row,
            file,
            "band",
            ~pl.col("known_band"),
            pl.format("'{}' is no band of this card", "band"),
        ),
        *problems_in(
            by_row, file, "valid_from", pl.col("valid_from").is_null(), pl.lit("is no date")
        ),
    ]
