"""What is odd about a deck before it is applied, and how a new one takes over from the old."""

import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.vocabulary.problems import ROW, Problem, problems_in

_SPOT = ("card_key", "prefix", "band")


def conflicting_duplicates(rows: pl.DataFrame, file: str) -> list[Problem]:
    """Rows that give one prefix, band and day two different prices.

    `rows` is RATE_CARD_PRICES with ROW. Rows that repeat another in every word are no conflict.
    """
    spot = [*_SPOT, "valid_from"]
    terms = ("unit_price", "connection_fee", "minimum_units", "increment_units")
    judged = rows.sort(ROW).with_columns(
        first_row=pl.col(ROW).first().over(spot),
        differs=pl.any_horizontal(
            pl.col(term).ne_missing(pl.col(term).first().over(spot)) for term in terms
        ),
    )
    message = pl.format("{} has another price in row {}", "prefix", "first_row")
    return problems_in(judged, file, "prefix", pl.col("differs"), message)


def gaps(rows: pl.DataFrame, file: str) -> list[Problem]:
    """Prefixes whose price ends and begins again later, with days between that have none."""
    until = pl.col("valid_until").shift(1).over(_SPOT)
    judged = rows.sort(*_SPOT, "valid_from").with_columns(ended=until)
    message = pl.format("{} has no price from {} to {}", "prefix", "ended", "valid_from")
    is_gap = pl.col("ended") < pl.col("valid_from")
    return problems_in(judged, file, "valid_from", is_gap, message)


def missing_parents(rows: pl.DataFrame, file: str, countries: pl.Series) -> list[Problem]:
    """Prefixes of a country whose code itself has no price, so its other numbers have none.

    `countries` are calling codes as digits.
    """
    known = rows.get_column("prefix").unique()
    without = countries.filter(~countries.is_in(known.implode()))
    code = pl.coalesce(
        pl.when(pl.col("prefix").str.slice(0, length).is_in(without.implode())).then(
            pl.col("prefix").str.slice(0, length)
        )
        for length in (3, 2, 1)
    )
    judged = (
        rows.with_columns(parent=code)
        .filter(pl.col("parent").is_not_null())
        .sort("parent", ROW)
        .unique("parent", keep="first", maintain_order=True)
    )
    message = pl.format("{} has a price but its country {} has none", "prefix", "parent")
    return problems_in(judged, file, "prefix", pl.col("parent").is_not_null(), message)


def absurd_prices(rows: pl.DataFrame, file: str, most: Decimal) -> list[Problem]:
    """Prices above `most` per pricing unit: a missing decimal mark or another currency."""
    message = pl.format("{} is more than " + f"{most} for {{}}", "unit_price", "prefix")
    limit = pl.lit(most).cast(pl.Decimal(38, 10))
    return problems_in(rows, file, "unit_price", pl.col("unit_price") > limit, message)


def amended(
    current: pl.DataFrame, amendment: pl.DataFrame, removed: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The card after an amendment: from its day on a prefix has the amendment's price.

    Prefixes of `removed` have none from their day on, so a shorter one prices their numbers. All
    are RATE_CARD_PRICES. A row of the current card that goes on past the day of a newer one ends
    there; rows that would begin on or after that day are withdrawn. Prefixes that the amendment
    does not name stay as they are. A retroactive amendment is the same.
    """
    named = amendment if removed is None else pl.concat([amendment, removed])
    newest = named.group_by(_SPOT).agg(changes_on=pl.col("valid_from").min())
    kept = current.join(newest, on=_SPOT, how="left", validate="m:1", maintain_order="left")
    changes_on = pl.col("changes_on")
    kept = kept.filter(changes_on.is_null() | (pl.col("valid_from") < changes_on)).with_columns(
        valid_until=pl.min_horizontal("valid_until", changes_on)
    )
    return _ordered(pl.concat([kept.select(current.columns), _chained(amendment, removed)]))


def replaced(
    current: pl.DataFrame,
    new: pl.DataFrame,
    valid_from: dt.date,
    removed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The card after a full replacement: nothing of the current one holds from the day on.

    Prefixes of `removed` have no price from their day on, though the deck states one before.
    """
    day = pl.lit(valid_from)
    kept = current.filter(pl.col("valid_from") < day).with_columns(
        valid_until=pl.min_horizontal("valid_until", day)
    )
    return _ordered(pl.concat([kept, _chained(new, removed)]))


def _chained(rows: pl.DataFrame, removed: pl.DataFrame | None) -> pl.DataFrame:
    """Each price ends where the next of the same prefix and band begins, or is taken out."""
    ends = rows.clear() if removed is None else removed
    stated = [rows.with_columns(_gone=pl.lit(0)), ends.with_columns(_gone=pl.lit(1))]
    following = pl.col("valid_from").shift(-1).over(_SPOT)
    chained = (
        pl.concat(stated)
        .sort(*_SPOT, "valid_from", "_gone")
        .with_columns(valid_until=pl.min_horizontal("valid_until", following))
    )
    holds = pl.col("valid_until").is_null() | (pl.col("valid_from") < pl.col("valid_until"))
    return chained.filter(holds & (pl.col("_gone") == 0)).drop("_gone")


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(*_SPOT, "valid_from")


def changes(current: pl.DataFrame, new: pl.DataFrame, day: dt.date) -> pl.DataFrame:
    """What differs between two cards on a day.

    Shape: one row per prefix and band that differs, with `old_price`, `new_price` and `change`:
    new, removed, increased, decreased, blocked, unblocked.
    """
    both = (
        _on(current, day)
        .rename({"unit_price": "old_price", "is_there": "was_there"})
        .join(
            _on(new, day).rename({"unit_price": "new_price"}),
            on=_SPOT,
            how="full",
            coalesce=True,
            validate="1:1",
        )
    )
    old, price = pl.col("old_price"), pl.col("new_price")
    change = (
        pl.when(pl.col("was_there").is_null())
        .then(pl.lit("new"))
        .when(pl.col("is_there").is_null())
        .then(pl.lit("removed"))
        .when(old.is_not_null() & price.is_null())
        .then(pl.lit("blocked"))
        .when(old.is_null() & price.is_not_null())
        .then(pl.lit("unblocked"))
        .when(price > old)
        .then(pl.lit("increased"))
        .when(price < old)
        .then(pl.lit("decreased"))
    )
    judged = both.with_columns(change=change).filter(pl.col("change").is_not_null())
    return judged.select(*_SPOT, "old_price", "new_price", "change").sort(_SPOT)


def _on(rows: pl.DataFrame, day: dt.date) -> pl.DataFrame:
    until = pl.col("valid_until")
    in_force = (pl.col("valid_from") <= day) & (until.is_null() | (until > day))
    return rows.filter(in_force).select(*_SPOT, "unit_price", is_there=pl.lit(value=True))
