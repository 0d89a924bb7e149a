"""Terms that price one event, and the arithmetic they share: units, unit price, fee, amount."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TypedDict

import polars as pl

from billing_pipeline.catalog.price_terms import FeeOn, Increment, Rounded
from billing_pipeline.rating.exact import (
    ONE,
    WHOLE,
    decimals,
    multiple_at_least,
    rounded_positive_quotient,
    rounded_quotient,
    to_whole,
    too_large_to_multiply,
)
from billing_pipeline.rating.increments import (
    DOWN,
    NEAREST,
    UP,
    Ladder,
    after_free_units,
    counted_as,
    increments_in_words,
    kept_at_minimum,
    raised_to_minimum,
    rounded_to_step,
)
from billing_pipeline.vocabulary.outcome import SuspenseReason

TERMS = (
    "unit_price",
    "pricing_unit",
    "connection_fee",
    "free_initial",
    "minimum",
    "increment",
    "rounding",
    "ladder",
    "fee_on_nothing",
)
"""Columns of a table of terms, in ten-billionths; a null `unit_price` is blocked.

`rounding` is the number of a rounding, `ladder` that of a ladder from 1; 0 is none.
`fee_on_nothing` is 1 where events without a billable unit owe the fee.
"""

_ROUNDINGS = {"up": UP, "nearest": NEAREST, "down": DOWN}

NO_INCREMENT = 0
"""Increment of prices that declare none: whole seconds of time, else as measured."""

SECONDS = "s"
"""Unit of events that measure time."""

AS_MEASURED = Increment(increment=Decimal("0.0000000001"))
"""Rounding of a price that rounds nothing."""


@dataclass(frozen=True)
class Terms:
    """Terms of many prices: what differs between them as columns, what does not as constants.

    Most tables have one increment or no fee at all; a constant saves a gather and a division
    by a column for every event. `quotient` divides by the pricing unit; the cheap one where no
    price is negative. `shown` are unit price, fee and increments as people read them, `ladders`
    the bands of counted units that rows name by number.
    """

    varying: pl.DataFrame
    constant: Mapping[str, int | None]
    quotient: Callable[[pl.Expr, pl.Expr], pl.Expr]
    shown: pl.DataFrame
    ladders: tuple[Ladder, ...]

    @cached_property
    def has_undeclared_increments(self) -> bool:
        """Whether some of the prices, whose increments differ, declare none."""
        return bool((self.varying.get_column("increment") == NO_INCREMENT).any())

    def __getitem__(self, term: str) -> pl.Expr:
        """A term of the events that the varying terms stand beside."""
        if term in self.constant:
            return pl.lit(self.constant[term], dtype=WHOLE)
        return pl.col(term)

    def is_all(self, term: str, value: int) -> bool:
        """Whether all prices have this value of a term."""
        return term in self.constant and self.constant[term] == value


class TermRow(TypedDict):
    """One row of a table of terms, its bands of counted units written out."""

    unit_price: int
    pricing_unit: int
    connection_fee: int
    free_initial: int
    minimum: int
    increment: int
    rounding: int
    ladder: Ladder
    fee_on_nothing: int


def ladder_of(rounded: Rounded) -> Ladder:
    """Bands of counted units in ten-billionths."""
    return tuple((to_whole(band.up_to), to_whole(band.units)) for band in rounded.counted_as)


def rounding_number(rounded: Rounded) -> int:
    """Number of a rounding, as tables of terms have it."""
    return _ROUNDINGS[rounded.rounding]


def fee_on_nothing(fee_on: FeeOn) -> int:
    """Whether events without a billable unit owe the fee, as tables of terms have it."""
    return int(fee_on == "every")


def term_row(
    *,
    amount: Decimal,
    pricing_unit: Decimal,
    fee: Decimal,
    increments: Increment,
    fee_on: FeeOn = "used",
) -> TermRow:
    """One row of a table of terms from configured numbers."""
    return {
        "unit_price": to_whole(amount),
        "pricing_unit": to_whole(pricing_unit),
        "connection_fee": to_whole(fee),
        "free_initial": to_whole(increments.free_initial),
        "minimum": to_whole(increments.minimum),
        "increment": NO_INCREMENT
        if increments.increment is None
        else to_whole(increments.increment),
        "rounding": rounding_number(increments),
        "ladder": ladder_of(increments),
        "fee_on_nothing": fee_on_nothing(fee_on),
    }


def terms_of_rows(rows: Sequence[TermRow]) -> Terms:
    """Terms of rows made by `term_row`."""
    ladders = tuple(dict.fromkeys(row["ladder"] for row in rows if row["ladder"]))
    numbers: dict[Ladder, int] = {ladder: number for number, ladder in enumerate(ladders, 1)}
    numbered = [{**row, "ladder": numbers.get(row["ladder"], 0)} for row in rows]
    return terms_of(pl.DataFrame(numbered, schema=dict.fromkeys(TERMS, WHOLE)), ladders)


def terms_of(table: pl.DataFrame, ladders: tuple[Ladder, ...] = ()) -> Terms:
    """Split a table with the columns TERMS into constants and columns that vary."""
    same = [term for term in TERMS if table.get_column(term).n_unique() == 1]
    lowest = table.select(pl.col("unit_price").min()).item()
    return Terms(
        varying=table.select(pl.col(term) for term in TERMS if term not in same),
        constant={term: table.get_column(term)[0] for term in same},
        quotient=rounded_quotient if (lowest or 0) < 0 else rounded_positive_quotient,
        shown=table.select(
            unit_price=decimals(pl.col("unit_price")),
            connection_fee=decimals(pl.when(pl.col("connection_fee") != 0).then("connection_fee")),
            increments=pl.lit(increments_in_words(table)),
        ),
        ladders=ladders,
    )


def amounts_by(events: pl.DataFrame, terms: Terms, rows: pl.Series) -> pl.DataFrame:
    """Price events by the terms at `rows`; an event without a row has no amount.

    A negative quantity takes usage back: its units and amount are those of the same positive
    quantity with the other sign.
    Shape: row by row, the columns billable_units, amount, reason.
    Units: `events.quantity` and billable_units in measured units, amount in major units.
    """
    measured = _units(events, terms, rows)
    too_large = too_large_to_multiply(measured, pl.col("units"), terms["unit_price"])
    if too_large is not None:
        measured = measured.with_columns(units=pl.when(~too_large).then("units"))
    amount = terms.quotient(pl.col("units") * terms["unit_price"], terms["pricing_unit"])
    amount += _fee(terms)
    units = pl.col("units")
    if _takes_back(events):
        is_back = events.get_column("quantity").to_physical() < 0
        sign = pl.when(pl.lit(is_back)).then(-1).otherwise(1).cast(WHOLE)
        units, amount = units * sign, amount * sign
    return measured.select(
        billable_units=decimals(units), amount=decimals(amount), reason=_reason(too_large)
    )


def priced_by(events: pl.DataFrame, terms: Terms, rows: pl.Series) -> pl.DataFrame:
    """Price events as `amounts_by` does, with their unit price, fee and increments beside it."""
    units, fee = pl.col("billable_units"), pl.col("connection_fee")
    priced = amounts_by(events, terms, rows).hstack(terms.shown.select(pl.all().gather(rows)))
    is_owed = (units != 0) | ((units == 0) & pl.lit(_on_nothing(terms, rows)))
    # Of zero usage, which takes nothing back, the fee stays.
    is_back = pl.lit(events.get_column("quantity").to_physical() < 0)
    return priced.with_columns(
        connection_fee=pl.when(is_owed & is_back).then(-fee).when(is_owed).then(fee)
    )


def _on_nothing(terms: Terms, rows: pl.Series) -> pl.Series:
    """Whether the terms of each event ask the fee of nothing, too."""
    if "fee_on_nothing" in terms.constant:
        return pl.Series([terms.is_all("fee_on_nothing", 1)])
    return terms.varying.get_column("fee_on_nothing").gather(rows) == 1


def _takes_back(events: pl.DataFrame) -> bool:
    least = events.get_column("quantity").to_physical().min()
    return isinstance(least, int) and least < 0


def _units(events: pl.DataFrame, terms: Terms, rows: pl.Series) -> pl.DataFrame:
    """Billable units of each event, never negative, beside its terms; null where it has none."""
    left = pl.col("measured")
    # Where no price has them, free units and minimum are not worth a pass over all events.
    if not terms.is_all("free_initial", 0):
        left = after_free_units(left, terms["free_initial"])
    units = left
    if not terms.is_all("minimum", 0):
        units = raised_to_minimum(units, terms["minimum"])
    if terms.is_all("rounding", UP):
        units = multiple_at_least(units, _step(events, terms))
    else:
        rounded = rounded_to_step(units, _step(events, terms), terms["rounding"])
        units = kept_at_minimum(rounded, units, terms["minimum"])
    units = counted_as(left, units, terms.ladders, terms["ladder"])
    found = units if rows.null_count() == 0 else pl.when(rows.is_not_null()).then(units)
    return (
        events.select(measured=pl.col("quantity").to_physical().abs())
        .with_columns(term.gather(rows) for term in terms.varying.get_columns())
        .with_columns(units=found)
    )


def _step(events: pl.DataFrame, terms: Terms) -> pl.Expr:
    """What each event is rounded to a multiple of."""
    declared = terms["increment"]
    constant = terms.constant.get("increment")
    if constant is not None and constant != NO_INCREMENT:
        return declared
    if "increment" not in terms.constant and not terms.has_undeclared_increments:
        return declared
    is_time = events.get_column("unit") == SECONDS
    own = (
        pl.lit(ONE, dtype=WHOLE)
        if is_time.all()
        else pl.when(pl.lit(is_time)).then(ONE).otherwise(1).cast(WHOLE)
    )
    if constant is not None:
        return own
    return pl.when(declared == NO_INCREMENT).then(own).otherwise(declared)


def _fee(terms: Terms) -> pl.Expr:
    # Nothing used is nothing connected, unless the price says otherwise.
    nothing = pl.lit(0, dtype=WHOLE)
    if terms.is_all("connection_fee", 0):
        return nothing
    is_owed = pl.col("units") > 0
    if not terms.is_all("fee_on_nothing", 0):
        is_owed |= terms["fee_on_nothing"] == 1
    return pl.when(is_owed).then(terms["connection_fee"]).otherwise(nothing)


def _reason(too_large: pl.Series | None) -> pl.Expr:
    if too_large is None:
        return pl.lit(None, dtype=pl.String)
    return pl.when(too_large).then(pl.lit(SuspenseReason.IMPLAUSIBLE_QUANTITY.value))
