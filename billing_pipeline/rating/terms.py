"""Terms that price one event, and the arithmetic they share: units, unit price, fee, amount."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from billing_pipeline.rating.exact import (
    WHOLE,
    decimals,
    rounded_quotient,
    too_large_to_multiply,
)
from billing_pipeline.rating.increments import billable_units
from billing_pipeline.vocabulary.outcome import SuspenseReason

TERMS = (
    "unit_price",
    "pricing_unit",
    "connection_fee",
    "free_initial",
    "minimum",
    "increment",
)
"""Columns of a table of terms, in ten-billionths; a null `unit_price` is blocked."""


@dataclass(frozen=True)
class Terms:
    """Terms of many prices: what differs between them as columns, what does not as constants.

    Most tables have one increment or no fee at all; a constant saves a gather and a division
    by a column for every event. `shown` are unit price and fee as people read them.
    """

    varying: pl.DataFrame
    constant: Mapping[str, int | None]
    shown: pl.DataFrame

    def __getitem__(self, term: str) -> pl.Expr:
        """A term of the events that the varying terms stand beside."""
        if term in self.constant:
            return pl.lit(self.constant[term], dtype=WHOLE)
        return pl.col(term)


def terms_of(table: pl.DataFrame) -> Terms:
    """Split a table with the columns TERMS into constants and columns that vary."""
    same = [term for term in TERMS if table.get_column(term).n_unique() == 1]
    return Terms(
        varying=table.select(pl.col(term) for term in TERMS if term not in same),
        constant={term: table.get_column(term)[0] for term in same},
        shown=table.select(
            unit_price=decimals(pl.col("unit_price")),
            connection_fee=decimals(pl.when(pl.col("connection_fee") != 0).then("connection_fee")),
        ),
    )


def amounts_by(events: pl.DataFrame, terms: Terms, rows: pl.Series) -> pl.DataFrame:
    """Price events by the terms at `rows`; an event without a row has no amount.

    Shape: row by row, the columns billable_units, amount, reason.
    Units: `events.quantity` and billable_units in measured units, amount in major units.
    """
    measured = _units(events, terms, rows)
    too_large = too_large_to_multiply(measured, pl.col("units"), terms["unit_price"])
    if too_large is not None:
        measured = measured.with_columns(units=pl.when(~too_large).then("units"))
    amount = rounded_quotient(pl.col("units") * terms["unit_price"], terms["pricing_unit"])
    return measured.select(
        billable_units=decimals(pl.col("units")),
        amount=decimals(amount + _fee(terms)),
        reason=_reason(too_large),
    )


def priced_by(events: pl.DataFrame, terms: Terms, rows: pl.Series) -> pl.DataFrame:
    """Price events as `amounts_by` does, with their unit price and fee beside it."""
    shown = terms.shown.select(pl.all().gather(rows))
    return (
        amounts_by(events, terms, rows)
        .hstack(shown)
        .with_columns(connection_fee=pl.when(pl.col("billable_units") > 0).then("connection_fee"))
    )


def _units(events: pl.DataFrame, terms: Terms, rows: pl.Series) -> pl.DataFrame:
    """Billable units of each event, beside its terms; null where it has none."""
    units = billable_units(
        pl.col("measured"),
        free_initial=terms["free_initial"],
        minimum=terms["minimum"],
        increment=terms["increment"],
    )
    found = units if rows.null_count() == 0 else pl.when(rows.is_not_null()).then(units)
    return (
        events.select(measured=pl.col("quantity").to_physical())
        .with_columns(term.gather(rows) for term in terms.varying.get_columns())
        .with_columns(units=found)
    )


def _fee(terms: Terms) -> pl.Expr:
    # Nothing used is nothing connected: the fee comes with the first unit.
    nothing = pl.lit(0, dtype=WHOLE)
    if terms.constant.get("connection_fee") == 0:
        return nothing
    return pl.when(pl.col("units") > 0).then(terms["connection_fee"]).otherwise(nothing)


def _reason(too_large: pl.Series | None) -> pl.Expr:
    if too_large is None:
        return pl.lit(None, dtype=pl.String)
    return pl.when(too_large).then(pl.lit(SuspenseReason.IMPLAUSIBLE_QUANTITY.value))
