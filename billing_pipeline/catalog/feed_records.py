"""What kinds of record a feed has, which of them count, and which belong together."""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from billing_pipeline.catalog.feed_expressions import Expression
from billing_pipeline.vocabulary.configuration import Configuration
from billing_pipeline.vocabulary.outcome import FilterReason


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


Count = Annotated[Decimal, Field(gt=0, max_digits=38, decimal_places=10)]


class RecordType(Configuration):
    """What records with one of `values` (or fitting `pattern`) in the selector mean.

    action `usage` is billed, `filter` is kept and counted with `reason`, `control` is a header,
    trailer or log line, `reversal` takes back the usage record of the same identity.
    """

    values: list[str] = []
    pattern: Pattern | None = None
    action: Literal["usage", "filter", "control", "reversal"] = "usage"
    reason: FilterReason = FilterReason.NOT_BILLABLE

    @model_validator(mode="after")
    def _says_which(self) -> "RecordType":
        if bool(self.values) == (self.pattern is not None):
            raise ValueError("a record type has either values or a pattern")
        return self


class Records(Configuration):
    """Kinds of record, told apart by an expression; a value not listed is suspense."""

    selector: Expression
    types: Annotated[list[RecordType], Field(min_length=1)]
    reversal_days: int = Field(
        default=31, ge=0, le=366, description="days a reversal may come after what it takes back"
    )


class Filter(Configuration):
    """Good records that are not billed: test calls, internal calls."""

    when: Expression
    reason: FilterReason


class Assemble(Configuration):
    """Several records that are one event: partial records of long calls, start and stop.

    `key` names the session. `delta` sums the quantities, `cumulative` takes the greatest, `span`
    the seconds from the first `first_when` record to the last `last_when` record. The event is
    the session's first record, and bears its day; parts up to `days` later belong to it. Without
    a last record the session waits in suspense, or with `incomplete: accept` counts as far as it
    has come. A late part opens the day again.

    `counter` is for readings that only grow: every record is an event of what was counted since
    the reading before of the same `key`, at most `days` earlier; the first reading is set aside.
    A reading below the one before wrapped at `wraps_at` (in the unit of the quantity), or, where
    that is not declared or `first_when` is true, counts from zero. `counts: per_second` divides
    by the time between the readings.

        assemble: {key: concat(device, interface), mode: counter, wraps_at: 4294967296}
    """

    key: Expression
    when: Expression | None = Field(
        default=None, description="records that are parts; the others are whole; default: all"
    )
    mode: Literal["delta", "cumulative", "span", "counter"]
    first_when: Expression | None = None
    last_when: Expression | None = None
    days: int = Field(default=1, ge=0, le=31, description="days a session may reach into")
    incomplete: Literal["suspense", "accept"] = "suspense"
    wraps_at: Count | None = Field(default=None, description="counter: 4294967296 for 32 bits")
    counts: Literal["in_all", "per_second"] = "in_all"

    @model_validator(mode="after")
    def _says_what_its_mode_needs(self) -> "Assemble":
        is_counter = self.mode == "counter"
        if not is_counter and (self.first_when is None or self.last_when is None):
            raise ValueError(f"mode {self.mode} needs first_when and last_when")
        if is_counter and (self.last_when is not None or self.incomplete == "accept"):
            raise ValueError("a counter has no last record; leave last_when and incomplete out")
        if not is_counter and (self.wraps_at is not None or self.counts != "in_all"):
            raise ValueError("wraps_at and counts are for mode counter")
        return self
