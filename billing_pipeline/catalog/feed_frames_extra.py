"""Framings beyond text: ASN.1 BER, and those that are installed beside the pipeline."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from billing_pipeline.catalog.feed_frames import (
    ColumnName,
    DelimitedFrame,
    FixedWidthFrame,
    FrameBase,
    JsonFrame,
    LogLinesFrame,
    NdjsonFrame,
    Nem12Frame,
    ParagraphsFrame,
    ParquetFrame,
    SpreadsheetFrame,
    XmlFrame,
)
from billing_pipeline.vocabulary.configuration import Configuration, Key

_STEP = r"(?:\*|\d+)(?:\[\d+=[^\]/]*\])?"
_STEPS = rf"{_STEP}(?:/{_STEP})*"
PLACE = re.compile(
    rf"^(?:(?P<table>[a-z_]+)\((?P<inner>{_STEPS}(?::[a-z0-9]+)?)\)"
    rf"|(?P<root>\^?)(?P<steps>{_STEPS})(?::(?P<kind>text|integer|bcd|tbcd|hex|sum|power10))?)$"
)
"""What a place in a BER record may look like; `@tag` is the record's own tag."""


def _is_a_path(text: str) -> str:
    if not re.fullmatch(_STEPS, text):
        raise ValueError(f"{text!r} is no path of tag numbers such as 1/3/*")
    return text


TagPath = Annotated[str, AfterValidator(_is_a_path)]


class BerTable(Configuration):
    """A table of the file: each element at `rows` is a row, `key` and `value` are places in it."""

    rows: TagPath
    key: str
    value: str


class BerFrame(FrameBase):
    """An ASN.1 file in BER, told by tag numbers; needs the extra `billing-pipeline[asn1]`.

    Every element at a path of `records` is one record; `*` is any tag. A field's source is the
    path below the record, with how the octets are read: `text` (when nothing is said), `integer`,
    `bcd` (digits in order), `tbcd` (digits swapped), `hex`; `sum` adds all elements at the path,
    `power10` is ten to the integer's power. `^` begins at the file (what stands before the
    records), `63[71=00]` is the element 63 whose child 71 reads 00, `@tag` the record's own tag.
    `offsets(44/232:integer)` looks the value up in the table `offsets` of the file.

        frame: {framing: ber, records: [1/3/*]}
        fields: {imsi: {source: "147/427/199/129:bcd"}, seconds: {source: "147/223:integer"}}
    """

    framing: Literal["ber"]
    records: Annotated[list[TagPath], Field(min_length=1)]
    tables: dict[str, BerTable] = {}
    max_document_bytes: int = Field(default=256 * 1024 * 1024, ge=1)


class PluginFrame(FrameBase):
    """A framing of an installed package, registered under `billing_pipeline.framings`.

    frame: {framing: plugin, name: acme_binary, options: {version: 3}}
    """

    framing: Literal["plugin"]
    name: Key
    options: dict[ColumnName, JsonValue] = {}


Frame = Annotated[
    DelimitedFrame
    | FixedWidthFrame
    | NdjsonFrame
    | JsonFrame
    | XmlFrame
    | ParagraphsFrame
    | LogLinesFrame
    | Nem12Frame
    | ParquetFrame
    | SpreadsheetFrame
    | BerFrame
    | PluginFrame,
    Field(discriminator="framing"),
]
"""Every framing a feed may have."""
