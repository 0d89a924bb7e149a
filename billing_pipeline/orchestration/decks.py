"""A deck or price list into a card of a tenant folder: looked at, compared, taken over."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import phonenumbers
import polars as pl

from billing_pipeline.catalog.check_rate_cards import check_card_rows
from billing_pipeline.catalog.deck_codes import joined_rows, with_prefixes_of_codes
from billing_pipeline.catalog.deck_findings import (
    absurd_prices,
    amended,
    changes,
    conflicting_duplicates,
    gaps,
    missing_parents,
    replaced,
)
from billing_pipeline.catalog.deck_layouts import FileLayout, stated_prices, without_removed
from billing_pipeline.catalog.deck_untaken import untaken
from billing_pipeline.catalog.decks import read_deck
from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.intake.deck_files import read_cells, read_codes, read_layout
from billing_pipeline.intake.tenant_folder import TenantFolder, read_tenant_folder
from billing_pipeline.rating.card_examples import broken_examples
from billing_pipeline.vocabulary.problems import ROW, Problem

_TIMES_THE_MEDIAN = 100
_COUNTRIES = pl.Series(
    sorted(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), dtype=pl.String
)


class UnknownCard(LookupError):
    """A card that the folder's rate_cards.yaml does not have."""


class DeckRefused(Exception):
    """A deck with mistakes, or with findings nobody accepted; the card stays as it was."""


@dataclass(frozen=True)
class Deck:
    """A deck as it would be taken over: what it states, what becomes of the card, what is odd.

    `mistakes` refuse it; `remarks` are odd and can be accepted.
    """

    card: RateCard
    stated: pl.DataFrame
    before: pl.DataFrame
    after: pl.DataFrame
    mistakes: tuple[Problem, ...]
    remarks: tuple[Problem, ...]

    def differences(self, day: dt.date) -> pl.DataFrame:
        """What costs otherwise on a day than it would without the deck."""
        return changes(self.before, self.after, day)


@dataclass(frozen=True)
class DeckOrder:
    """What to do with a deck's file: its layout, from which day, and what it leaves standing.

    `codes` is the file with the prefixes of a deck that names destinations by codes.
    """

    layout: str
    valid_from: dt.date
    is_whole: bool
    most: Decimal | None = None
    codes: Path | None = None


def read_deck_for(directory: Path, card_key: str, file: Path, order: DeckOrder) -> Deck:
    """Read a deck for a card of a tenant folder; changes nothing.

    Raises: UnknownCard, UnknownLayout, DeckRefused, ConfigurationRefused.
    """
    folder = read_tenant_folder(directory)
    card = _card(folder, card_key)
    layout = read_layout(order.layout)
    table = read_cells(file, layout)
    stating, removing = without_removed(table, layout)
    read, gone = (
        read_deck(
            *stated_prices(*_by_prefix(part, layout, order)), card, order.valid_from, file.name
        )
        for part in (stating, removing)
    )
    # What is wrong with the table as a whole is told once.
    problems = [*read.problems, *(one for one in gone.problems if one not in read.problems)]
    rows = read.prices
    conflicts = conflicting_duplicates(rows, file.name)
    stated = RATE_CARD_PRICES.conform(
        rows.sort(ROW).unique(["prefix", "band", "valid_from"], keep="first", maintain_order=True)
    )
    before = folder.rate_card_prices.filter(pl.col("card_key") == card.key)
    removed = RATE_CARD_PRICES.conform(gone.prices)
    after = (
        replaced(before, stated, order.valid_from, removed)
        if order.is_whole
        else amended(before, stated, removed)
    )
    return Deck(
        card=card,
        stated=stated,
        before=before,
        after=RATE_CARD_PRICES.conform(after),
        mistakes=(*problems, *conflicts, *_judged(folder, card, after)),
        remarks=(
            *untaken(table, layout, file.name),
            *_remarks(card, rows, after, file.name, order.most),
        ),
    )


def _by_prefix(
    table: pl.DataFrame, layout: FileLayout, order: DeckOrder
) -> tuple[pl.DataFrame, FileLayout]:
    """The rows of a deck's table, each with its prefixes."""
    rows, meaning = joined_rows(table, layout)
    if layout.codes is None or layout.prefix not in table.columns:
        return rows, meaning
    if order.codes is None:
        columns = f"{layout.codes.code} and {layout.codes.prefix}"
        raise DeckRefused(
            f"this layout names destinations in {layout.prefix!r}; give a file of their prefixes,"
            f" columns {columns}, with --codes"
        )
    return with_prefixes_of_codes(rows, meaning, read_codes(order.codes, layout.codes))


def take_over(directory: Path, deck: Deck, *, accept_remarks: bool) -> Path:
    """Write the card's rows as the deck leaves them; `billing catalog apply` makes them known.

    Raises: DeckRefused with every finding that stands in the way.
    """
    standing = deck.mistakes or (() if accept_remarks else deck.remarks)
    if standing:
        listed = "\n".join(f"  - {problem}" for problem in standing)
        how = "" if deck.mistakes else "; accept them with --accept"
        raise DeckRefused(f"{len(standing)} finding(s), nothing was taken over{how}:\n{listed}")
    path = directory / "rate_cards" / f"{deck.card.key}.csv"
    path.parent.mkdir(exist_ok=True)
    deck.after.drop("card_key").write_csv(path)
    return path


def _card(folder: TenantFolder, key: str) -> RateCard:
    if key not in folder.catalog.rate_card_by_key:
        known = ", ".join(sorted(folder.catalog.rate_card_by_key)) or "none"
        raise UnknownCard(f"no card {key!r} in rate_cards.yaml; there are {known}")
    return folder.catalog.rate_card_by_key[key]


def _judged(folder: TenantFolder, card: RateCard, after: pl.DataFrame) -> Sequence[Problem]:
    """What the card's own rules say of its rows, and its examples."""
    numbered = after.with_row_index(ROW, offset=2).with_columns(pl.col(ROW).cast(pl.Int64))
    return [
        *check_card_rows(card, numbered),
        *broken_examples([card], after, folder.tenant.time_zone),
    ]


def _remarks(
    card: RateCard, rows: pl.DataFrame, after: pl.DataFrame, file: str, most: Decimal | None
) -> tuple[Problem, ...]:
    limit = most if most is not None else card.highest_price
    if limit is None:
        median = rows.get_column("unit_price").drop_nulls().sort()
        middle = Decimal(median[median.len() // 2]) if median.len() else Decimal(0)
        limit = middle * _TIMES_THE_MEDIAN
    numbered = after.with_row_index(ROW, offset=2).with_columns(pl.col(ROW).cast(pl.Int64))
    return (
        *absurd_prices(rows, file, limit),
        *gaps(numbered, f"rate_cards/{card.key}.csv"),
        *missing_parents(numbered, f"rate_cards/{card.key}.csv", _COUNTRIES),
    )
