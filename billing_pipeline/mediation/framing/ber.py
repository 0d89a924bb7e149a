"""ASN.1 BER files by tag numbers, as the feed declares them; no schema is needed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from billing_pipeline.catalog.feed_frames_extra import BerFrame
from billing_pipeline.mediation.framing.ber_places import Node, Place, elements_at, parsed_place
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.framing.documents import read_within
from billing_pipeline.mediation.framing.rows import Row, row_blocks
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason

if TYPE_CHECKING:
    import asn1

_DEEPEST = 50
_MISSING = (
    "framing ber needs the package asn1; install billing-pipeline[asn1] where files are loaded"
)


def ber_blocks(frame: BerFrame, stream: IO[bytes], wanted: list[str]) -> Iterator[FramedBlock]:
    """Records of a BER file. Raises: FileRefused if it is damaged, cut, or of other contents."""
    try:
        import asn1  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise FileRefused(QuarantineReason.READER_MISSING, _MISSING) from error
    content = read_within(stream, frame.max_document_bytes)
    if not content:
        return iter(())
    reader = _Reader(frame, asn1.Decoder())
    reader.decoder.start(content)
    try:
        records = list(reader.records())
    except (asn1.Error, IndexError, ValueError, OverflowError, RecursionError) as error:
        raise FileRefused(QuarantineReason.MALFORMED_DOCUMENT, f"BER: {error}"[:300]) from error
    if not reader.is_entered:
        raise FileRefused(
            QuarantineReason.MALFORMED_DOCUMENT, f"the file has no element at {frame.records[0]!r}"
        )
    places = [parsed_place(text) for text in wanted]
    return row_blocks((_row(frame, reader, record, places) for record in records), wanted)


@dataclass
class _Reader:
    """Walks a file once: records as trees, and everything else by its path."""

    frame: BerFrame
    decoder: "asn1.Decoder"
    others: list[tuple[tuple[int, ...], Node]] = field(default_factory=list)
    is_entered: bool = False

    def records(self) -> Iterator[Node]:
        """Every element at one of the paths, in the order of the file."""
        patterns = [path.split("/") for path in self.frame.records]
        yield from self._walk((), patterns)

    def _walk(self, path: tuple[int, ...], patterns: list[list[str]]) -> Iterator[Node]:
        while (tag := self.decoder.peek()) is not None:
            here = (*path, int(tag.nr))
            is_open = int(tag.typ) != 0
            if any(_fits(here, pattern) for pattern in patterns):
                yield self._node(len(here))
            elif is_open and any(_fits(here, pattern[: len(here)]) for pattern in patterns):
                self.is_entered = True
                self.decoder.enter()
                yield from self._walk(here, patterns)
                self.decoder.leave()
            else:
                self.others.append((here, self._node(len(here))))

    def _node(self, depth: int) -> Node:
        tag = self.decoder.peek()
        if tag is None or depth > _DEEPEST:
            raise ValueError(f"elements lie more than {_DEEPEST} deep, or end too early")
        if int(tag.typ) == 0:
            _, value = self.decoder.read()
            return Node(int(tag.nr), value if isinstance(value, bytes) else str(value).encode())
        self.decoder.enter()
        children = []
        while self.decoder.peek() is not None:
            children.append(self._node(depth + 1))
        self.decoder.leave()
        return Node(int(tag.nr), b"", tuple(children), is_open=True)


def _fits(path: tuple[int, ...], pattern: list[str]) -> bool:
    return len(path) == len(pattern) and all(
        step in ("*", str(tag)) for tag, step in zip(path, pattern, strict=True)
    )


def _row(frame: BerFrame, reader: _Reader, record: Node, places: list[Place]) -> Row:
    root = _root(reader.others)
    values = tuple(_text(frame, root, record, place) for place in places)
    return Row(values, json.dumps(record.shown()))


def _root(others: list[tuple[tuple[int, ...], Node]]) -> Node:
    """What stands beside the records, as one tree below a root."""
    children: list[Node] = []
    for path, node in others:
        for tag in reversed(path[:-1]):
            node = Node(tag, b"", (node,), is_open=True)  # noqa: PLW2901 - wrapped by its path
        children.append(node)
    return Node(0, b"", tuple(children), is_open=True)


def _text(frame: BerFrame, root: Node, record: Node, place: Place) -> str | None:
    if place.is_tag:
        return str(record.tag)
    if place.table is None:
        return place.read(root if place.is_from_root else record)
    table = frame.tables.get(place.table)
    wanted = place.read(record)
    if table is None or wanted is None:
        return None
    key, value = parsed_place(table.key), parsed_place(table.value)
    rows = elements_at(root, parsed_place(table.rows).steps)
    return next((value.read(row) for row in rows if key.read(row) == wanted), None)
