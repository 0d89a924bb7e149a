"""Usage records of any number by a fixed seed, with the accounts and the rate card they need.

One file `calls.csv` as a switch writes it, `accounts.csv` and `card.csv`. A small share is
trouble that every contestant must come out of alike: repeated records, calls nobody answered,
numbers nobody owns, destinations no prefix takes.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

ROWS_AT_A_TIME = 1_000_000
FIRST_DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
SECONDS_IN_DAY = 86_400

REPEATED, UNANSWERED, UNOWNED, UNPRICED = 0.005, 0.1, 0.001, 0.001
FIRST_NUMBER = 442_000_000_000
LONGEST_PREFIX = 8
INCREMENTS = ((60, 60), (1, 1), (30, 6))


@dataclass(frozen=True)
class Size:
    """How much to generate."""

    events: int
    accounts: int = 100_000
    prefixes: int = 40_000
    days: int = 1
    seed: int = 7


@dataclass(frozen=True)
class Inputs:
    """The files all contestants read."""

    folder: Path

    @property
    def calls(self) -> Path:
        """Usage records: call_id, start (UTC), src, dst, billsec, disposition."""
        return self.folder / "calls.csv"

    @property
    def accounts(self) -> Path:
        """Who owns which number: number, account_key."""
        return self.folder / "accounts.csv"

    @property
    def card(self) -> Path:
        """Prices per minute: prefix, name, unit_price, minimum_units, increment_units."""
        return self.folder / "card.csv"

    def totals(self, name: str) -> Path:
        """What a contestant came to: account_key, events, amount."""
        return self.folder / f"{name}.totals.parquet"


def generate(size: Size, folder: Path) -> Inputs:
    """Write the three files; the same size and seed give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = Inputs(folder)
    chance = np.random.default_rng(size.seed)
    prefixes = _prefixes(size.prefixes, chance)
    _card(prefixes, chance).write_csv(inputs.card)
    _accounts(size.accounts).write_csv(inputs.accounts)
    with inputs.calls.open("wb") as file:
        for first in range(0, size.events, ROWS_AT_A_TIME):
            count = min(ROWS_AT_A_TIME, size.events - first)
            calls = _calls(size, first, count, prefixes, chance)
            calls.write_csv(file, include_header=first == 0)
    return inputs


def _prefixes(count: int, chance: np.random.Generator) -> np.ndarray:
    """Distinct prefixes of one to eight digits, most of them long, as in real cards."""
    shorter = np.arange(1, 1000)
    digits = chance.integers(4, LONGEST_PREFIX + 1, 2 * count)
    longer = chance.integers(10 ** (digits - 1), 10**digits)
    distinct = np.unique(np.concatenate([shorter, longer]))
    return np.sort(chance.permutation(distinct)[:count])


def _card(prefixes: np.ndarray, chance: np.random.Generator) -> pl.DataFrame:
    increments = np.array(INCREMENTS)[chance.integers(0, len(INCREMENTS), len(prefixes))]
    return pl.DataFrame(
        {
            "prefix": pl.Series(prefixes).cast(pl.String),
            "unit_price": pl.Series(chance.integers(1, 30_000, len(prefixes))),
            "minimum_units": increments[:, 0],
            "increment_units": increments[:, 1],
        }
    ).select(
        "prefix",
        pl.format("Destination {}", "prefix").alias("name"),
        pl.format("0.{}", pl.col("unit_price").cast(pl.String).str.zfill(5)).alias("unit_price"),
        "minimum_units",
        "increment_units",
    )


def _accounts(count: int) -> pl.DataFrame:
    number = pl.int_range(count, dtype=pl.Int64)
    return pl.select(
        number=(number + FIRST_NUMBER).cast(pl.String),
        account_key=pl.format("A{}", number.cast(pl.String).str.zfill(7)),
    )


def _calls(
    size: Size, first: int, count: int, prefixes: np.ndarray, chance: np.random.Generator
) -> pl.DataFrame:
    answered = chance.random(count) >= UNANSWERED
    owned = chance.random(count) >= UNOWNED
    seconds = chance.integers(0, size.days * SECONDS_IN_DAY, count)
    account = chance.integers(0, size.accounts, count) + np.where(owned, 0, size.accounts)
    calls = pl.DataFrame(
        {
            "call_id": np.arange(first, first + count),
            "start": pl.Series(seconds * 1_000_000).cast(pl.Duration("us")),
            "src": FIRST_NUMBER + account,
            "dst": _destinations(count, prefixes, chance),
            "billsec": np.where(answered, chance.geometric(1 / 180, count), 0),
            "disposition": pl.Series(answered),
        }
    ).select(
        pl.format("c{}", pl.col("call_id").cast(pl.String).str.zfill(10)).alias("call_id"),
        (pl.lit(FIRST_DAY).dt.replace_time_zone(None) + pl.col("start"))
        .dt.strftime("%Y-%m-%d %H:%M:%S")
        .alias("start"),
        "src",
        "dst",
        "billsec",
        pl.when("disposition").then(pl.lit("ANSWERED")).otherwise(pl.lit("NO ANSWER"))
        .alias("disposition"),
    )  # fmt: skip
    again = chance.integers(0, count, int(count * REPEATED))
    return pl.concat([calls, calls[again]])


def _destinations(count: int, prefixes: np.ndarray, chance: np.random.Generator) -> pl.Series:
    """Numbers of twelve digits that begin with a prefix; those nobody prices begin with zero."""
    taken = prefixes[chance.integers(0, len(prefixes), count)]
    missing = 12 - np.floor(np.log10(taken)).astype(np.int64) - 1
    number = taken * 10**missing + chance.integers(0, 10**11, count) % 10**missing
    priced = chance.random(count) >= UNPRICED
    text = pl.Series(number).cast(pl.String)
    return text.zip_with(pl.Series(priced), "0" + text)
