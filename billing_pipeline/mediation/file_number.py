"""The number a usage file gives itself, in a field of its records or of its header."""

from typing import IO

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.fields import read_fields
from billing_pipeline.mediation.framing.framing import framed_blocks
from billing_pipeline.mediation.plan import plan_of


def number_in_file(feed: Feed, stream: IO[bytes]) -> int | None:
    """The number in the first record that has one, as `checks.sequence.number` says.

    Reads no further than that record's block. Null if no record has a whole number there.
    Raises: FileRefused for a file that is not of the feed's framing.
    """
    number = plan_of(feed).sequence_number
    if number is None:
        return None
    for block in framed_blocks(feed, stream):
        if block.numbers.len():
            found = read_fields(feed, block).values.select(number.alias("number")).drop_nulls()
            if found.height and found.item(0, 0) % 1 == 0:
                return int(found.item(0, 0))
    return None
