"""Typed fields of a feed: where the text stands in a record and how it is read."""

import re
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from billing_pipeline.vocabulary.configuration import Configuration, CountryCode, time_zones

TIME_WORDS = ("epoch_s", "epoch_ms", "epoch_us", "iso8601", "rfc2822", "excel_serial")


def _a_regular_expression(pattern: str | None) -> str | None:
    if pattern is not None:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


class _Field(Configuration):
    """What every field has.

    source: column name, JSON or XML path, or position from 1; a list takes the first one the
      file has (renamed columns). Default: the field's own name.
    join: instead of source, several columns joined by a blank (date and time).
    null: texts that mean "nothing", beside those of the feed.
    extract: regular expression; its first group (or the whole match) is the text.
    """

    source: str | int | list[str] | None = None
    join: list[str] = []
    null: list[str] = []
    trim: Literal["both", "none"] = "both"
    extract: str | None = None
    decode: Literal["url", "base64"] | None = None
    required: bool = False

    _extract_is_valid = field_validator("extract")(_a_regular_expression)

    @model_validator(mode="after")
    def _one_place(self) -> "_Field":
        if self.join and self.source is not None:
            raise ValueError("a field has a source or a join, not both")
        return self


class TextField(_Field):
    """Text as it stands; `map` renames values (others keep theirs, or become suspense)."""

    type: Literal["text"] = "text"
    case: Literal["keep", "lower", "upper"] = "keep"
    map: dict[str, str] = {}
    unmapped: Literal["keep", "null", "suspense"] = "keep"


class TimeField(_Field):
    """An instant. `formats` are tried in order.

    A format is a strptime pattern or one of epoch_s, epoch_ms, epoch_us, iso8601, rfc2822,
    excel_serial. Local times take `zone` (IANA), or the zone in column `zone_source`. A local
    time that happens twice when clocks go back is taken as `ambiguous` says and flagged
    `ambiguous_time`; one that never was is moved on by the hour skipped and flagged
    `nonexistent_time`, or is suspense.

        started_at: {type: time, source: start, formats: ["%Y-%m-%d %H:%M:%S"], zone: Europe/London}
    """

    type: Literal["time"]
    formats: Annotated[list[str], Field(min_length=1)] = ["iso8601"]
    zone: str = "UTC"
    zone_source: str | None = None
    ambiguous: Literal["earliest", "latest", "suspense"] = "earliest"
    nonexistent: Literal["shift", "suspense"] = "shift"

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name not in time_zones():
            raise ValueError(f"{name!r} is not an IANA time zone such as Europe/London")
        return name


class DurationField(_Field):
    """A length of time, read to exact seconds.

    `clock` is [D:]H:M:S or M:S, `suffixed` is 1h2m3s, 10s, 250ms; the others are plain numbers.
    """

    type: Literal["duration"]
    format: Literal["seconds", "milliseconds", "microseconds", "minutes", "clock", "suffixed"] = (
        "seconds"
    )
    decimal: Literal[".", ","] = "."


class IntegerField(_Field):
    """A whole number, exact up to 38 digits."""

    type: Literal["integer"]


class DecimalField(_Field):
    """An exact decimal in a declared locale; `symbols` (currency signs) are taken away."""

    type: Literal["decimal"]
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    symbols: list[str] = []

    @model_validator(mode="after")
    def _separators_differ(self) -> "DecimalField":
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands separators must differ")
        return self


class PhoneField(_Field):
    """A telephone number, read in the numbering context of the feed to E.164 digits without +.

    Short codes, extensions and anonymous callers keep their text and are flagged; what cannot be
    a number is null, or suspense where the field is required.
    """

    type: Literal["phone"]
    country: CountryCode | None = Field(default=None, description="instead of numbers.country")


def _type_of(value: object) -> str:
    given = value.get("type", "text") if isinstance(value, dict) else getattr(value, "type", "text")
    return str(given)


FeedField = Annotated[
    Annotated[TextField, Tag("text")]
    | Annotated[TimeField, Tag("time")]
    | Annotated[DurationField, Tag("duration")]
    | Annotated[IntegerField, Tag("integer")]
    | Annotated[DecimalField, Tag("decimal")]
    | Annotated[PhoneField, Tag("phone")],
    Discriminator(_type_of),
]
"""A field; `type: text` may be left out."""


class NumberingContext(Configuration):
    """How numbers are dialled where the feed comes from.

    numbers: {country: GB, access_code: "9", short_code_digits: 5}
    """

    country: CountryCode = Field(description="country of numbers without country code")
    international_prefixes: list[str] = Field(default=["00"], description="e.g. 00, 011, 9011")
    national_prefix: str | None = Field(
        default=None, description="trunk prefix, e.g. 0; None: as the country has it"
    )
    access_code: str = Field(default="", description="digits dialled for an outside line")
    short_code_digits: int = Field(default=6, ge=0, description="up to so many digits stay as is")
    anonymous: list[str] = ["anonymous", "unavailable", "restricted", "private", "unknown"]
