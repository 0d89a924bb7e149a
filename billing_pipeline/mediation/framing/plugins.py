"""Framings of installed packages: entry points of the group `billing_pipeline.framings`.

An entry point is a function `(options, stream, wanted) -> Iterator[FramedBlock]`: the options the
feed declares, the decompressed file, and the places its fields read. Records are numbered from 1
without gap; a record that cannot be cut is a reject with a reason; `rows.row_blocks` makes blocks
of plain rows. It raises FileRefused for a file that must be held whole.
"""

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import IO

from billing_pipeline.catalog.feed_frames_extra import PluginFrame
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason

GROUP = "billing_pipeline.framings"


def plugin_blocks(
    frame: PluginFrame, stream: IO[bytes], wanted: list[str]
) -> Iterator[FramedBlock]:
    """Records of a file as an installed framing cuts them. Raises: FileRefused if there is none."""
    for point in entry_points(group=GROUP, name=frame.name):
        yield from point.load()(frame.options, stream, wanted)
        return
    known = ", ".join(sorted(point.name for point in entry_points(group=GROUP))) or "none"
    raise FileRefused(
        QuarantineReason.READER_MISSING,
        f"no installed package has a framing {frame.name!r}; installed: {known}",
    )
