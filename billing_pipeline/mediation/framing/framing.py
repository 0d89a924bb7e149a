"""The framing of a feed, chosen by its definition."""

from collections.abc import Callable, Iterator
from typing import IO, Any

from billing_pipeline.catalog.feed_fields import TimeField
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.framing.ber import ber_blocks
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.framing.delimited import delimited_blocks
from billing_pipeline.mediation.framing.documents import parquet_blocks, spreadsheet_blocks
from billing_pipeline.mediation.framing.json_documents import json_blocks
from billing_pipeline.mediation.framing.ndjson import ndjson_blocks
from billing_pipeline.mediation.framing.nem12 import nem12_blocks
from billing_pipeline.mediation.framing.plugins import plugin_blocks
from billing_pipeline.mediation.framing.text_framings import (
    fixed_width_blocks,
    log_line_blocks,
    paragraph_blocks,
)
from billing_pipeline.mediation.framing.xml_documents import xml_blocks

Reader = Callable[[Any, IO[bytes], list[str]], Iterator[FramedBlock]]

READERS: dict[str, Reader] = {
    "delimited": delimited_blocks,
    "fixed_width": lambda frame, stream, _wanted: fixed_width_blocks(frame, stream),
    "ndjson": ndjson_blocks,
    "json": json_blocks,
    "xml": xml_blocks,
    "paragraphs": paragraph_blocks,
    "log_lines": lambda frame, stream, _wanted: log_line_blocks(frame, stream),
    "nem12": lambda frame, stream, _wanted: nem12_blocks(frame, stream),
    "parquet": parquet_blocks,
    "spreadsheet": spreadsheet_blocks,
    "ber": ber_blocks,
    "plugin": plugin_blocks,
}
"""One reader per framing of catalog/feed_frames.py: frame, stream, wanted places."""


def framed_blocks(feed: Feed, stream: IO[bytes]) -> Iterator[FramedBlock]:
    """Records of a usage file, block by block, as the feed's framing cuts them.

    Raises: FileRefused for a file that is not of the feed's framing at all.
    """
    return READERS[feed.frame.framing](feed.frame, stream, wanted_places(feed))


def wanted_places(feed: Feed) -> list[str]:
    """Every place in a record that some field of the feed reads, sorted."""
    wanted: set[str] = set()
    for name, field in feed.fields.items():
        given = field.source if isinstance(field.source, list) else [str(field.source or name)]
        wanted.update(field.join or given)
        if isinstance(field, TimeField) and field.zone_source is not None:
            wanted.add(field.zone_source)
    return sorted(wanted)
