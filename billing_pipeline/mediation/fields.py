"""Fields of a block: from the text columns of the records to typed values.

Every field is read in one vectorised pass over the block; only values that the usual reading
left null although there is text are looked at a second time.
"""

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from billing_pipeline.catalog.feed_fields import (
    DecimalField,
    DurationField,
    FeedField,
    IntegerField,
    NumberingContext,
    PhoneField,
    TextField,
    TimeField,
)
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.phone_numbers import read_numbers
from billing_pipeline.mediation.quantities import first_reading, second_reading
from billing_pipeline.mediation.times import first_reading as first_instant
from billing_pipeline.mediation.times import reread
from billing_pipeline.vocabulary.outcome import SuspenseReason

_MANGLED = r"^-?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+$"

FAULTS = {
    "text": SuspenseReason.UNKNOWN_RECORD_TYPE,
    "time": SuspenseReason.INVALID_TIME,
    "duration": SuspenseReason.INVALID_QUANTITY,
    "integer": SuspenseReason.INVALID_QUANTITY,
    "decimal": SuspenseReason.INVALID_QUANTITY,
    "phone": SuspenseReason.INVALID_NUMBER,
}
"""The reason for text that cannot be read, by type of field."""


@dataclass
class ReadFields:
    """Typed values and trimmed texts by field name; masks of what went wrong, by reason.

    `faults` and `missing` hold only fields with at least one bad record.
    """

    values: pl.DataFrame
    texts: pl.DataFrame
    faults: dict[tuple[str, SuspenseReason], pl.Series] = field(default_factory=dict)
    missing: dict[str, pl.Series] = field(default_factory=dict)
    flags: list[pl.Series] = field(default_factory=list)


def column_of(feed_field: FeedField, name: str, columns: list[str]) -> str | None:
    """The column a field reads, or None if the file has none of its sources."""
    source = name if feed_field.source is None else feed_field.source
    if isinstance(source, int):
        return columns[source - 1] if 1 <= source <= len(columns) else None
    names = [source] if isinstance(source, str) else source
    return next((candidate for candidate in names if candidate in columns), None)


def read_fields(feed: Feed, block: FramedBlock) -> ReadFields:
    """Typed values of all fields of a feed over one block."""
    texts = _texts(feed, block)
    first = texts.select(
        _first(pl.col(name), spec).alias(name) for name, spec in feed.fields.items()
    )
    read = ReadFields(values=first, texts=texts)
    for name, spec in feed.fields.items():
        _complete(read, name, spec, feed, block)
    return read


def _texts(feed: Feed, block: FramedBlock) -> pl.DataFrame:
    # The record number keeps the height where every field is absent.
    texts = block.columns.select(
        block.numbers.alias("\0number"),
        *(
            _text(_located(name, spec, block), spec, feed.null, is_trimmed=block.is_trimmed).alias(
                name
            )
            for name, spec in feed.fields.items()
        ),
    ).drop("\0number")
    for name, spec in feed.fields.items():
        if spec.decode == "url":
            texts = texts.with_columns(_url_decoded(texts[name]))
    return texts


def _located(name: str, spec: FeedField, block: FramedBlock) -> pl.Expr:
    """The column of a field; null where the file, or records of this width, have none."""
    present = block.columns.columns
    columns: list[str | None] = [*spec.join] or [column_of(spec, name, block.names)]
    parts = [
        pl.col(column) if column is not None and column in present else pl.lit(None, pl.String)
        for column in columns
    ]
    return pl.concat_str(parts, separator=" ") if spec.join else parts[0]


def _text(text: pl.Expr, spec: FeedField, nulls: list[str], *, is_trimmed: bool) -> pl.Expr:
    if spec.trim == "both" and not is_trimmed:
        text = text.str.strip_chars()
    words = {*nulls, *spec.null}
    if "" in words and not is_trimmed:
        text = pl.when(text.str.len_bytes() > 0).then(text)
    if words - {""}:
        text = pl.when(~text.is_in(sorted(words))).then(text)
    if spec.decode == "base64":
        text = text.str.decode("base64", strict=False).cast(pl.String, strict=False)
    if spec.extract is not None:
        text = text.str.extract(spec.extract, 1 if "(" in spec.extract else 0)
    return text


def _first(text: pl.Expr, spec: FeedField) -> pl.Expr:
    if isinstance(spec, TimeField):
        return first_instant(text, spec)
    if isinstance(spec, DecimalField | DurationField | IntegerField):
        return first_reading(text, spec)
    if isinstance(spec, TextField):
        return _mapped(text, spec)
    return text


def _mapped(text: pl.Expr, spec: TextField) -> pl.Expr:
    if spec.map:
        default = text if spec.unmapped == "keep" else None
        text = text.replace_strict(spec.map, default=default, return_dtype=pl.String)
    if spec.case == "lower":
        return text.str.to_lowercase()
    return text.str.to_uppercase() if spec.case == "upper" else text


def _complete(read: ReadFields, name: str, spec: FeedField, feed: Feed, block: FramedBlock) -> None:
    text, value = read.texts[name], read.values[name]
    if isinstance(spec, PhoneField):
        _complete_phone(read, name, spec, feed)
    elif value.null_count() > text.null_count():
        value = _second(text, value, spec, read, block)
        read.values = read.values.with_columns(value.alias(name))
        if not (isinstance(spec, TextField) and spec.unmapped == "null"):
            _record_faults(read, name, spec.type, text, value)
    if spec.required and read.values[name].null_count():
        read.missing[name] = text.is_null()


def _second(
    text: pl.Series, value: pl.Series, spec: FeedField, read: ReadFields, block: FramedBlock
) -> pl.Series:
    if isinstance(spec, TimeField):
        zones = None
        if spec.zone_source is not None and spec.zone_source in block.columns.columns:
            zones = block.columns[spec.zone_source].str.strip_chars()
        instants = reread(text, value, zones, spec)
        if instants.flags is not None:
            read.flags.append(instants.flags)
        return instants.values
    if isinstance(spec, DecimalField | DurationField | IntegerField):
        return _reread_numbers(text, value, spec)
    return value


def _reread_numbers(
    text: pl.Series, value: pl.Series, spec: DecimalField | DurationField | IntegerField
) -> pl.Series:
    frame = pl.DataFrame({"text": text, "value": value}).with_columns(at=pl.int_range(pl.len()))
    odd = frame.filter(pl.col("value").is_null(), pl.col("text").is_not_null())
    found = odd.select("at", found=second_reading(pl.col("text"), spec))
    joined = frame.join(found, on="at", how="left", validate="1:1", maintain_order="left")
    return joined.select(pl.coalesce("value", "found")).to_series()


def _complete_phone(read: ReadFields, name: str, spec: PhoneField, feed: Feed) -> None:
    text = read.texts[name]
    context = feed.numbers
    if spec.country is not None:
        given = {} if context is None else context.model_dump(exclude={"country"})
        context = NumberingContext(country=spec.country, **given)
    if context is None:
        raise ValueError(f"feed {feed.key!r}: field {name!r} needs numbers: {{country: ...}}")
    numbers = read_numbers(text, context)
    flag = numbers["flag"]
    read.values = read.values.with_columns(numbers["number"].alias(name))
    if flag.null_count() == flag.len():
        return
    is_mangled = (flag == "mangled").fill_null(value=False)
    if is_mangled.any():
        read.faults[name, SuspenseReason.MANGLED_NUMBER] = is_mangled
    if spec.required:
        is_none = (flag == "not_a_number").fill_null(value=False)
        if is_none.any():
            read.faults[name, SuspenseReason.INVALID_NUMBER] = is_none
    remark = pl.when(pl.col("flag") != "mangled").then(pl.format("{}_{}", pl.lit(name), "flag"))
    read.flags.append(numbers.select(remark).to_series())


def _record_faults(
    read: ReadFields, name: str, kind: str, text: pl.Series, value: pl.Series
) -> None:
    bad = value.is_null() & text.is_not_null()
    if not bad.any():
        return
    if kind in ("integer", "decimal", "duration"):
        mangled = (bad & text.str.contains(_MANGLED)).fill_null(value=False)
        if mangled.any():
            read.faults[name, SuspenseReason.MANGLED_NUMBER] = mangled
    read.faults[name, FAULTS[kind]] = bad


def _url_decoded(text: pl.Series) -> pl.Series:
    """Percent-escapes resolved, once per distinct text."""
    escaped = text.unique(maintain_order=True).drop_nulls()
    escaped = escaped.filter(escaped.str.contains("%", literal=True))
    decoded: Mapping[str, str] = {
        one: urllib.parse.unquote(one, errors="replace") for one in escaped
    }
    return text.replace(decoded) if decoded else text
