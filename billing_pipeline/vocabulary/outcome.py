"""What a stage returns: every input row in exactly one of four frames."""

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

import polars as pl


class SuspenseReason(StrEnum):
    """Why a record could not go on; it stays, can be mended, and is recycled."""

    COLUMN_COUNT = "column_count"
    INVALID_ENCODING = "invalid_encoding"
    INVALID_SYNTAX = "invalid_syntax"
    CONTROL_CHARACTERS = "control_characters"
    FIELD_TOO_LONG = "field_too_long"
    UNKNOWN_RECORD_TYPE = "unknown_record_type"
    MISSING_REQUIRED = "missing_required"
    INVALID_TIME = "invalid_time"
    INVALID_QUANTITY = "invalid_quantity"
    NEGATIVE_QUANTITY = "negative_quantity"
    IMPLAUSIBLE_QUANTITY = "implausible_quantity"
    INVALID_AMOUNT = "invalid_amount"
    INVALID_NUMBER = "invalid_number"
    MANGLED_NUMBER = "mangled_number"
    TIMES_OUT_OF_ORDER = "times_out_of_order"
    FUTURE_EVENT = "future_event"
    TOO_LATE = "too_late"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    UNKNOWN_IDENTIFIER = "unknown_identifier"
    OUTSIDE_SUBSCRIPTION = "outside_subscription"
    UNASSIGNED_IDENTIFIER = "unassigned_identifier"
    INCOMPLETE_SESSION = "incomplete_session"
    REVERSAL_WITHOUT_ORIGINAL = "reversal_without_original"
    NO_PRICE = "no_price"
    NO_DESTINATION = "no_destination"


class FilterReason(StrEnum):
    """Why a good record is not billable; it is kept and counted."""

    NOT_ANSWERED = "not_answered"
    NOT_BILLABLE = "not_billable"
    TEST_CALL = "test_call"
    INTERNAL_CALL = "internal_call"
    CONTROL_RECORD = "control_record"
    REVERSED = "reversed"
    ASSEMBLED = "assembled"
    FIRST_READING = "first_reading"
    WRITTEN_OFF = "written_off"


class NotConserved(Exception):
    """A stage cannot show where every record and every unit of quantity went."""


class Outcome(NamedTuple):
    """Four disjoint frames whose rows together are the stage's input.

    `suspended` and `filtered` carry a `reason` column.
    """

    accepted: pl.DataFrame
    suspended: pl.DataFrame
    duplicates: pl.DataFrame
    filtered: pl.DataFrame


def split_by_reason(frame: pl.DataFrame, reason: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into those without a reason and those with one (kept in column `reason`)."""
    judged = frame.with_columns(reason.alias("reason"))
    return (
        judged.filter(pl.col("reason").is_null()).drop("reason"),
        judged.filter(pl.col("reason").is_not_null()),
    )


def assert_conserved(stage: str, given: pl.DataFrame, outcome: Outcome, quantity: str) -> None:
    """Check that records and quantity in equal records and quantity out.

    Raises: NotConserved with both sides of the equation.
    """
    parts = dict(zip(Outcome._fields, outcome, strict=True))
    records = {name: part.height for name, part in parts.items()}
    if given.height != sum(records.values()):
        raise NotConserved(f"{stage}: {given.height} records in, {records} out")
    units = {name: _total(part, quantity) for name, part in parts.items()}
    if _total(given, quantity) != sum(units.values(), Decimal(0)):
        raise NotConserved(f"{stage}: {_total(given, quantity)} of {quantity} in, {units} out")


def _total(frame: pl.DataFrame, quantity: str) -> Decimal:
    return Decimal(frame.get_column(quantity).sum() or 0) if frame.height else Decimal(0)
