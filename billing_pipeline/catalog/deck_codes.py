"""Decks whose rows are no prefixes yet: destinations by code or name, prices in several rows."""

import polars as pl

from billing_pipeline.catalog.deck_layouts import FileLayout
from billing_pipeline.vocabulary.problems import ROW

PREFIXES, LEAST, STEP = "(prefixes)", "(least)", "(step)"
"""Columns that a row is given: the prefixes of its code, its minimum and its increment."""

_CODE, _THEN, _LATER, _LATER_PRICE = "(code)", "(then)", "(later)", "(later price)"
_SECONDS_PER_MINUTE = 60


def joined_rows(cells: pl.DataFrame, layout: FileLayout) -> tuple[pl.DataFrame, FileLayout]:
    """One row per code of a deck that says in a second row how a call goes on.

    Example: 60 s from 0 s and 1 s from 60 s on are "60/1": minimum 60, increment 1. Another price
    from there on, or several steps before, cannot stand in a card: the price reads as a mistake.
    """
    step = layout.increment_units
    if layout.continues is None or step is None:
        return cells, layout
    if not {layout.continues, step, layout.unit_price} <= set(cells.columns):
        return cells, layout
    goes_on = ~_seconds(layout.continues).str.contains(r"^[0.]*$")
    later = cells.filter(goes_on).select(
        layout.prefix,
        _seconds(step).alias(_THEN),
        pl.col(layout.unit_price).alias(_LATER_PRICE),
        _seconds(layout.continues).alias(_LATER),
    )
    begun = cells.filter(~goes_on)
    price = pl.col(layout.unit_price)
    is_another = pl.col(_LATER_PRICE).is_not_null() & (pl.col(_LATER_PRICE) != price)
    # A minimum is one first step: "30 s until 60 s, then 6 s" is no minimum and increment.
    is_no_minimum = pl.col(_LATER).is_not_null() & (pl.col(_LATER) != _seconds(step))
    joined = begun.join(later, on=layout.prefix, how="left", maintain_order="left").with_columns(
        _seconds(step).alias(LEAST),
        pl.coalesce(_THEN, _seconds(step)).alias(STEP),
        pl.when(is_another)
        .then(pl.format("{} and then {}", price, _LATER_PRICE))
        .when(is_no_minimum)
        .then(pl.format("{} in steps of {} s until {} s", price, _seconds(step), _LATER))
        .otherwise(price)
        .alias(layout.unit_price),
    )
    meaning = layout.model_copy(update={"minimum_units": LEAST, "increment_units": STEP})
    return joined, meaning


def with_prefixes_of_codes(
    cells: pl.DataFrame, layout: FileLayout, codes: pl.DataFrame
) -> tuple[pl.DataFrame, FileLayout]:
    """Each row with the prefixes of its code, as a list; a code without any says so.

    `codes` has the columns that the layout names, a row per code and prefix.
    """
    if layout.codes is None:
        return cells, layout
    listed = (
        codes.group_by(pl.col(layout.codes.code).str.strip_chars().alias(_CODE))
        .agg(pl.col(layout.codes.prefix).str.strip_chars().alias(PREFIXES))
        .with_columns(pl.col(PREFIXES).list.sort().list.join(","))
    )
    found = cells.with_columns(pl.col(layout.prefix).str.strip_chars().alias(_CODE)).join(
        listed, on=_CODE, how="left", validate="m:1", maintain_order="left"
    )
    missing = pl.format("{} (without prefix among the codes)", _CODE)
    named = found.with_columns(pl.coalesce(PREFIXES, missing).alias(PREFIXES))
    name = layout.name or layout.prefix
    meaning = layout.model_copy(update={"prefix": PREFIXES, "name": name})
    return named.drop(_CODE).sort(ROW), meaning


def _seconds(column: str) -> pl.Expr:
    """A time as text of seconds: 1m and 60s are 60; what is no time stays as it is."""
    text = pl.col(column).fill_null("").str.strip_chars()
    minutes = text.str.extract("^([0-9]+)m$").cast(pl.Int64) * _SECONDS_PER_MINUTE
    return pl.coalesce(minutes.cast(pl.String), text.str.extract("^([0-9.]+)s$"), text)
