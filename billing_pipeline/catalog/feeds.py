r"""Feeds: the definition by which any usage file is read (`feeds/<key>.yaml`, one feed a file).

A complete small feed:

    key: voip
    name: VoIP switch
    match: {file_name: 'cdr_(?P<sequence>[0-9]+)\.csv'}
    frame: {framing: delimited, header: names}
    fields:
      call_id: {required: true}
      started_at: {type: time, source: start, formats: ["%Y-%m-%d %H:%M:%S"], zone: Europe/London}
      caller: {type: phone, source: src}
      called: {type: phone, source: dst}
      seconds: {type: duration, source: billsec}
      result: {source: disposition}
    numbers: {country: GB}
    identity: [call_id]
    records:
      selector: result
      types:
        - {values: [ANSWERED], action: usage}
        - {values: [NO ANSWER, BUSY, FAILED], action: filter, reason: not_answered}
    event:
      usage_type: voice
      service_identifier: caller
      direction: outbound
      origin: caller
      destination: called
      started_at: started_at
      quantity: seconds
      unit: s
"""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from billing_pipeline.catalog.feed_arrival import Arrival
from billing_pipeline.catalog.feed_expressions import Expression, names_in
from billing_pipeline.catalog.feed_fields import FeedField, NumberingContext
from billing_pipeline.catalog.feed_frames_extra import Frame
from billing_pipeline.catalog.prices import Units
from billing_pipeline.vocabulary.configuration import Configuration, Key
from billing_pipeline.vocabulary.outcome import FilterReason

FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class Match(Configuration):
    """Which uploads belong to the feed: the whole file name must fit, in any case of letters.

    Named groups `source`, `sequence`, `period` and `version` feed the sequence audit and
    superseding deliveries. A compression suffix (.gz, .zip, .bz2, .zst) need not stand in the
    pattern.
    """

    file_name: Pattern
    compression: Literal["auto", "none", "gzip", "zip", "bz2", "zstd"] = "auto"
    max_bytes: int = Field(default=20 * 1024**3, ge=1, description="limit after decompression")
    max_ratio: int = Field(default=1000, ge=1, description="limit of decompressed to compressed")


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


class Computed(Configuration):
    """A word of an event that is not the same for all records: `{expression: lower(kind)}`."""

    expression: Expression


class EventMapping(Configuration):
    """How fields become a usage event.

    `usage_type`, `unit` and `direction` are plain words or `{expression: ...}`; everything else
    is an expression, most often the name of a field. `attributes` are names of fields, or
    `name: expression`, that prices can select by.
    """

    usage_type: str | Computed
    service_identifier: Expression
    direction: str | Computed | None = None
    origin: Expression | None = None
    destination: Expression | None = None
    started_at: Expression
    quantity: Expression
    unit: str | Computed
    carried_amount: Expression | None = None
    attributes: list[FieldName] | dict[str, Expression] = []


class Trailer(Configuration):
    """A control record (action `control`, told by `when`) with totals that must be right."""

    when: Expression
    records: Expression | None = Field(default=None, description="number of records it claims")
    quantity: Expression | None = Field(default=None, description="sum of quantity it claims")


class Checks(Configuration):
    """Plausibility of records and files.

    A negative quantity is always suspense unless `negative_quantity: accept` (credits).
    """

    negative_quantity: Literal["suspense", "accept"] = "suspense"
    max_quantity: Units | None = None
    not_before: str = Field(default="2000-01-01", pattern=r"^\d{4}-\d{2}-\d{2}$")
    future_minutes: int = Field(default=1440, ge=0, description="tolerance after landing")
    late_after_days: int = Field(default=35, ge=0, description="older than this is flagged `late`")
    max_age_days: int | None = Field(default=None, ge=0, description="older than this: suspense")
    max_error_percent: Decimal = Field(
        default=Decimal(50), ge=0, le=100, description="above it the whole file is refused"
    )
    trailer: Trailer | None = None
    files_per_day: int | None = Field(
        default=None, ge=1, description="fewer files on a landing day are a finding"
    )


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
    wraps_at: Units | None = Field(default=None, description="counter: 4294967296 for 32 bits")
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


class Feed(Configuration):
    """One kind of usage file and how its records become usage events."""

    key: Key
    name: str
    description: str = ""
    match: Match
    arrival: Arrival = Arrival()
    frame: Frame
    null: list[str] = Field(default=[""], description="texts that mean nothing in every field")
    fields: Annotated[dict[FieldName, FeedField], Field(min_length=1)]
    numbers: NumberingContext | None = None
    identity: list[FieldName] = Field(
        default=[], description="fields that identify a record; empty is the whole record"
    )
    records: Records | None = None
    filters: list[Filter] = []
    billable_when: Expression | None = Field(
        default=None, description="records for which it is not true are filtered: not_billable"
    )
    event: EventMapping
    version: Expression | None = Field(
        default=None,
        description="superseding feeds: of one identity the record with the greatest wins",
    )
    snapshot: Literal["append", "supersede"] = Field(
        default="append",
        description="supersede: a later file (group version) replaces its period (group period)",
    )
    assemble: Assemble | None = None
    checks: Checks = Checks()

    @model_validator(mode="after")
    def _expressions_name_fields(self) -> "Feed":
        for text in self.expressions():
            for name in sorted(names_in(text) - set(self.fields)):
                raise ValueError(f"expression {text!r} names no field {name!r}")
        for name in self.identity:
            if name not in self.fields:
                raise ValueError(f"identity names no field {name!r}")
        if self.numbers is None and any(
            field.type == "phone" and field.country is None for field in self.fields.values()
        ):
            raise ValueError("fields of type phone need numbers: {country: ...}")
        return self

    def expressions(self) -> list[str]:
        """Every expression of the feed."""
        event = self.event
        words = (event.usage_type, event.unit, event.direction)
        attributes = (
            list(event.attributes.values())
            if isinstance(event.attributes, dict)
            else list(event.attributes)
        )
        trailer = self.checks.trailer
        given = [
            *(word.expression for word in words if isinstance(word, Computed)),
            event.service_identifier,
            event.origin,
            event.destination,
            event.started_at,
            event.quantity,
            event.carried_amount,
            *attributes,
            self.records.selector if self.records else None,
            *(rule.when for rule in self.filters),
            self.billable_when,
            self.version,
            *((trailer.when, trailer.records, trailer.quantity) if trailer else ()),
            *(
                (
                    self.assemble.key,
                    self.assemble.when,
                    self.assemble.first_when,
                    self.assemble.last_when,
                )
                if self.assemble
                else ()
            ),
        ]
        return [text for text in given if text is not None]
