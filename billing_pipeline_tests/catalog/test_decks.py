"""Decks as suppliers send them: read by declaration, checked, applied."""

import csv
import datetime as dt
import gzip
import io
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.catalog.deck_findings import (
    absurd_prices,
    amended,
    changes,
    conflicting_duplicates,
    gaps,
    missing_parents,
    replaced,
)
from billing_pipeline.catalog.decks import DeckLayout, ReadDeck, read_deck
from billing_pipeline.catalog.rate_cards import RateCard, TimeBand
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.vocabulary.problems import ROW

DAY = dt.date(2026, 3, 1)
CARD = RateCard(
    key="deck",
    kind="supplier",
    currency="EUR",
    minimum_units=Decimal(30),
    increment_units=Decimal(6),
    bands=[TimeBand(key="peak"), TimeBand(key="off_peak")],
)
PLAIN = DeckLayout(prefix="code", unit_price="rate")


def read(text: str, layout: DeckLayout = PLAIN) -> ReadDeck:
    rows = list(csv.DictReader(io.StringIO(text)))
    cells = pl.DataFrame(rows).with_columns(
        pl.int_range(2, len(rows) + 2, dtype=pl.Int64).alias(ROW)
    )
    return read_deck(cells, layout, CARD, DAY, "deck.csv")


def deck(*rows: tuple[str, str | None, str, str | None]) -> pl.DataFrame:
    """Rows of prefix, price, first and last day."""
    parsed = [
        {
            "card_key": "deck",
            "valid_from": dt.date.fromisoformat(valid_from),
            "valid_until": None if valid_until is None else dt.date.fromisoformat(valid_until),
            "prefix": prefix,
            "band": "",
            "name": prefix,
            "unit_price": None if price is None else Decimal(price),
            "connection_fee": Decimal(0),
            "minimum_units": Decimal(0),
            "increment_units": Decimal(1),
        }
        for prefix, price, valid_from, valid_until in rows
    ]
    frame = pl.DataFrame(parsed, schema=RATE_CARD_PRICES.polars_schema)
    return frame.with_columns(pl.int_range(2, frame.height + 2, dtype=pl.Int64).alias(ROW))


def shown(rows: pl.DataFrame) -> list[tuple[object, ...]]:
    days = [pl.col(name).cast(pl.String) for name in ("valid_from", "valid_until")]
    return rows.select("prefix", "unit_price", *days).rows()


def test_what_the_deck_does_not_say_comes_from_the_cards_header() -> None:
    prices, problems = read("code,rate\n+44,0.0125\n")

    assert problems == []
    assert RATE_CARD_PRICES.conform(prices).row(0, named=True) == {
        "card_key": "deck",
        "valid_from": DAY,
        "valid_until": None,
        "prefix": "44",
        "band": "",
        "name": "+44",
        "unit_price": Decimal("0.0125"),
        "connection_fee": Decimal(0),
        "minimum_units": Decimal(30),
        "increment_units": Decimal(6),
    }


@pytest.mark.parametrize(
    ("cell", "prefixes"),
    [
        pytest.param("0044", ["44"], id="international access code"),
        pytest.param("9370-9373", ["9370", "9371", "9372", "9373"], id="range"),
        pytest.param("61 38,39", ["6138", "6139"], id="country code once"),
        pytest.param("61 38,40-41", ["6138", "6140", "6141"], id="list with a range"),
        pytest.param("1242,1246", ["1242", "1246"], id="list without country code"),
        pytest.param("7 098-100", ["7098", "7099", "7100"], id="leading zeros of a range stay"),
    ],
)
def test_a_cell_may_hold_several_prefixes(cell: str, prefixes: list[str]) -> None:
    prices, problems = read(f'code,rate\n"{cell}",1\n')

    assert (prices["prefix"].to_list(), problems) == (prefixes, [])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("4.4E+11,1", "'4.4E+11' is no prefix", id="scientific notation"),
        pytest.param(",1", "'' is no prefix", id="no prefix"),
        pytest.param("9379-9370,1", "'9379-9370' is no prefix", id="range backwards"),
        pytest.param("93-9370,1", "'93-9370' is no prefix", id="ends of other lengths"),
        pytest.param("44,n/a", "'n/a' is no price", id="no price"),
        pytest.param("44,-0.5", "'-0.5' is no price", id="negative price"),
        pytest.param('44,"0,5"', "'0,5' is no price", id="another decimal mark"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_problem_and_no_price(row: str, message: str) -> None:
    prices, problems = read(f"code,rate\n33,1\n{row}\n")

    assert prices["prefix"].to_list() == ["33"]
    assert [(problem.row, problem.message.startswith(message)) for problem in problems] == [
        (3, True)
    ]


def test_blocked_prices_are_kept_as_blocked() -> None:
    prices, problems = read("code,rate\n44,-1\n45,\n")

    assert (prices["unit_price"].to_list(), problems) == ([None, None], [])


def test_dates_bands_and_decimal_commas_are_read_as_declared() -> None:
    layout = DeckLayout(
        prefix="code",
        unit_price="rate",
        band="slot",
        bands={"Peak": "peak", "Off": "off_peak"},
        valid_from="from",
        date_format="%d.%m.%Y",
        decimal_mark=",",
    )

    prices, problems = read(
        'code,rate,slot,from\n44,"1.234,5",Peak,01.04.2026\n44,1,Night,01.04.2026\n45,1,Off,soon\n',
        layout,
    )

    assert prices.select("unit_price", "band", "valid_from").rows() == [
        (Decimal("1234.5"), "peak", dt.date(2026, 4, 1))
    ]
    assert [(problem.row, problem.field) for problem in problems] == [
        (3, "band"),
        (4, "valid_from"),
    ]


def test_a_column_that_is_not_there_is_one_problem() -> None:
    prices, problems = read("prefix,rate\n44,1\n")

    assert prices.is_empty()
    assert [problem.message for problem in problems] == [
        "has no column ['code']; it has ['prefix', 'rate', 'row']"
    ]


def test_two_prices_of_one_prefix_conflict_and_a_repetition_does_not() -> None:
    rows = deck(
        ("52", "0.18", "2026-03-01", None),
        ("53", "1", "2026-03-01", None),
        ("52", "4.0", "2026-03-01", None),
        ("53", "1", "2026-03-01", None),
    )

    found = conflicting_duplicates(rows, "deck.csv")

    assert [(one.row, one.message) for one in found] == [(4, "52 has another price in row 2")]


def test_days_without_a_price_are_found() -> None:
    rows = deck(
        ("44", "1", "2026-01-01", "2026-02-01"),
        ("44", "2", "2026-02-03", None),
        ("45", "1", "2026-01-01", "2026-02-01"),
        ("45", "2", "2026-02-01", None),
    )

    assert [one.message for one in gaps(rows, "deck.csv")] == [
        "44 has no price from 2026-02-01 to 2026-02-03"
    ]


def test_a_country_without_a_price_of_its_own_is_found_once() -> None:
    rows = deck(
        ("447", "1", "2026-01-01", None),
        ("4479", "1", "2026-01-01", None),
        ("33", "1", "2026-01-01", None),
        ("336", "1", "2026-01-01", None),
    )

    found = missing_parents(rows, "deck.csv", pl.Series(["1", "33", "44"]))

    assert [one.message for one in found] == ["447 has a price but its country 44 has none"]


def test_an_absurd_price_is_found() -> None:
    rows = deck(("44", "2339", "2026-01-01", None), ("45", "0.1", "2026-01-01", None))

    assert [one.row for one in absurd_prices(rows, "deck.csv", Decimal(25))] == [2]


CURRENT = deck(
    ("44", "1", "2026-01-01", None),
    ("45", "1", "2026-01-01", "2026-02-01"),
    ("45", "2", "2026-02-01", None),
    ("46", "1", "2026-04-01", None),
).drop(ROW)


def test_an_amendment_ends_what_it_changes_and_leaves_the_rest() -> None:
    amendment = deck(
        ("45", "3", "2026-03-01", None),
        ("45", "4", "2026-05-01", None),
        ("46", "9", "2026-03-01", None),
    ).drop(ROW)

    assert shown(amended(CURRENT, amendment)) == [
        ("44", 1, "2026-01-01", None),
        ("45", 1, "2026-01-01", "2026-02-01"),
        ("45", 2, "2026-02-01", "2026-03-01"),
        ("45", 3, "2026-03-01", "2026-05-01"),
        ("45", 4, "2026-05-01", None),
        ("46", 9, "2026-03-01", None),
    ]


def test_a_replacement_ends_everything() -> None:
    new = deck(("47", "5", "2026-03-01", None)).drop(ROW)

    assert shown(replaced(CURRENT, new, DAY)) == [
        ("44", 1, "2026-01-01", "2026-03-01"),
        ("45", 1, "2026-01-01", "2026-02-01"),
        ("45", 2, "2026-02-01", "2026-03-01"),
        ("47", 5, "2026-03-01", None),
    ]


@pytest.mark.parametrize("goes", ["2026-06-01", "2026-03-01"])
def test_a_prefix_that_is_priced_and_later_taken_out_ends(goes: str) -> None:
    """In one deck; taken out on the day it is priced, it is priced no day."""
    stated = deck(("45", "3", "2026-03-01", None)).drop(ROW)
    removed = deck(("45", None, goes, None)).drop(ROW)
    held = [] if goes == "2026-03-01" else [("45", 3, "2026-03-01", goes)]

    amendment = shown(amended(CURRENT, stated, removed))

    assert [row for row in amendment if row[0] == "45"][2:] == held
    assert [row for row in shown(replaced(CURRENT, stated, DAY, removed)) if row[0] == "45"][
        2:
    ] == held


def test_what_changes_is_told_by_prefix() -> None:
    old = deck(*((prefix, "1", "2026-01-01", None) for prefix in ("1", "2", "3", "4", "5")))
    old = pl.concat([old, deck(("6", None, "2026-01-01", None))])
    new = deck(
        ("1", "2", "2026-01-01", None),
        ("2", "0.5", "2026-01-01", None),
        ("3", None, "2026-01-01", None),
        ("4", "1", "2026-01-01", None),
        ("6", "1", "2026-01-01", None),
        ("7", "1", "2026-01-01", None),
    )

    assert changes(old, new, DAY).select("prefix", "change").rows() == [
        ("1", "increased"),
        ("2", "decreased"),
        ("3", "blocked"),
        ("5", "removed"),
        ("6", "unblocked"),
        ("7", "new"),
    ]


DECK = "shared/samples/ratedecks/asterisell_international_call_rates_11894.csv.gz"


def test_a_real_deck_of_eleven_thousand_prefixes_is_read_without_a_problem() -> None:
    places = [above / DECK for above in Path(__file__).parents if (above / DECK).exists()]
    if not places:
        pytest.skip("samples that must not be copied are not here")
    layout = DeckLayout(prefix="PREFIX", name="DESTINATION", unit_price="RATE", decimal_mark=",")

    prices, problems = read(gzip.decompress(places[0].read_bytes()).decode("latin-1"), layout)

    assert problems == []
    assert prices.height == 11_894
    assert prices.filter(prefix="937").get_column("unit_price").item() == Decimal("0.1175")
