"""The framing of a feed, chosen by its definition."""

from collections.abc import Iterator
from typing import IO

from billing_pipeline.catalog.feed_fields import TimeField
from billing_pipeline.catalog.feed_frames import DelimitedFrame, NdjsonFrame, Nem12Frame
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.framing.delimited import delimited_blocks
from billing_pipeline.mediation.framing.ndjson import ndjson_blocks
from billing_pipeline.mediation.framing.nem12 import nem12_blocks


def framed_blocks(feed: Feed, stream: IO[bytes]) -> Iterator[FramedBlock]:
    """Records of a usage file, block by block, as the feed's framing cuts them.

    Raises: FileRefused for a file that is not of the feed's framing at all.
    """
    frame = feed.frame
    if isinstance(frame, DelimitedFrame):
        return delimited_blocks(frame, stream, wanted_paths(feed))
    if isinstance(frame, NdjsonFrame):
        return ndjson_blocks(frame, stream, wanted_paths(feed))
    if isinstance(frame, Nem12Frame):
        return nem12_blocks(frame, stream)
    raise NotImplementedError(frame.framing)


def wanted_paths(feed: Feed) -> list[str]:
    """Every place in a record that some field of the feed reads, sorted."""
    wanted: set[str] = set()
    for name, field in feed.fields.items():
        given = field.source if isinstance(field.source, list) else [str(field.source or name)]
        wanted.update(field.join or given)
        if isinstance(field, TimeField) and field.zone_source is not None:
            wanted.add(field.zone_source)
    return sorted(wanted)
