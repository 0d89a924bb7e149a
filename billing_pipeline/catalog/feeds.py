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

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from billing_pipeline.catalog.feed_arrival import Arrival
from billing_pipeline.catalog.feed_expressions import Expression, names_in
from billing_pipeline.catalog.feed_fields import FeedField, NumberingContext
from billing_pipeline.catalog.feed_frames_extra import Frame
from billing_pipeline.catalog.feed_records import Assemble, Filter, Pattern, Records
from billing_pipeline.catalog.prices import Units
from billing_pipeline.vocabulary.configuration import Configuration, Key

FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Match(Configuration):
    """Which uploads belong to the feed: the whole file name must fit, in any case of letters.

    Named groups `source`, `sequence`, `period` and `version` feed the sequence audit and
    superseding deliveries; `date` (YYYYMMDD, with or without dashes) dates the file. A compression
    suffix (.gz, .zip, .bz2, .zst) need not stand in the pattern.
    """

    file_name: Pattern
    compression: Literal["auto", "none", "gzip", "zip", "bz2", "zstd"] = "auto"
    max_bytes: int = Field(default=20 * 1024**3, ge=1, description="limit after decompression")
    max_ratio: int = Field(default=1000, ge=1, description="limit of decompressed to compressed")


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
    """A control record (action `control`, told by `when`) with totals that must be right.

    It may stand anywhere in the file: a header can carry the totals too.
    """

    when: Expression
    over: Literal["all", "billable"] = Field(
        default="all",
        description="what it counts: every record but control records, or those not filtered",
    )
    records: Expression | None = Field(default=None, description="number of records it claims")
    quantity: Expression | None = Field(default=None, description="sum of quantity it claims")
    amount: Expression | None = Field(default=None, description="sum of carried_amount it claims")


class SequenceNumbers(Configuration):
    """How the numbers of files run, per source and period: those in their names (group `sequence`).

    With `number` it is the number a file gives itself instead: that of its first record, a
    control record too, that has one.
    checks: {sequence: {start: 1, step: 1, last: 9999}}
    """

    number: Expression | None = Field(
        default=None, description="the number in the file's own records, e.g. of its header"
    )

    start: int | None = Field(
        default=None,
        ge=0,
        description="first number; None, or with `last`: wherever the first file begins",
    )
    step: int = Field(default=1, ge=1, description="from one file to the next")
    last: int | None = Field(
        default=None, ge=1, description="after it they begin anew at start, or at 0"
    )

    @model_validator(mode="after")
    def _runs_forward(self) -> "SequenceNumbers":
        if self.last is not None and self.last <= (self.start or 0) + self.step:
            raise ValueError("last must leave room for several numbers after start")
        return self


class Checks(Configuration):
    """Plausibility of records and files.

    A negative quantity is always suspense unless `negative_quantity: accept` (credits).
    """

    negative_quantity: Literal["suspense", "accept"] = "suspense"
    max_quantity: Units | None = None
    not_before: str = Field(default="2000-01-01", pattern=r"^\d{4}-\d{2}-\d{2}$")
    in_order: list[FieldName] = Field(
        default=[], description="fields of type time that follow each other: [start, answer, end]"
    )
    skew_seconds: int = Field(
        default=2, ge=0, description="so far they may be out of order, and are flagged clock_skew"
    )
    future_minutes: int = Field(default=1440, ge=0, description="tolerance after landing")
    late_after_days: int = Field(default=35, ge=0, description="older than this is flagged `late`")
    max_age_days: int | None = Field(default=None, ge=0, description="older than this: suspense")
    max_error_percent: Decimal = Field(
        default=Decimal(50), ge=0, le=100, description="above it the whole file is refused"
    )
    trailer: Trailer | None = None
    sequence: SequenceNumbers = SequenceNumbers()
    files_per_day: int | None = Field(
        default=None, ge=1, description="fewer files on a landing day are a finding"
    )


class Feed(Configuration):
    """One kind of usage file and how its records become usage events."""

    key: Key
    name: str
    description: str = ""
    valid_from: dt.date | None = Field(
        default=None,
        description="this version reads files dated from this day on; None: from the beginning",
    )
    version_by: Literal["landing", "name"] = Field(
        default="landing",
        description="which date chooses the version: the day the file landed, or group `date`",
    )
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
    def _name_has_its_date(self) -> "Feed":
        if self.version_by == "name" and "(?P<date>" not in self.match.file_name:
            raise ValueError("version_by: name needs a group `date` in match.file_name")
        return self

    @model_validator(mode="after")
    def _expressions_name_fields(self) -> "Feed":
        for text in self.expressions():
            for name in sorted(names_in(text) - set(self.fields)):
                raise ValueError(f"expression {text!r} names no field {name!r}")
        for name in self.identity:
            if name not in self.fields:
                raise ValueError(f"identity names no field {name!r}")
        for name in self.checks.in_order:
            if name not in self.fields or self.fields[name].type != "time":
                raise ValueError(f"in_order names no field of type time {name!r}")
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
            self.checks.sequence.number,
            *((trailer.when, trailer.records, trailer.quantity, trailer.amount) if trailer else ()),
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
