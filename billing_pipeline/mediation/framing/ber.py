"""ASN.1 BER files by tag numbers, as the feed declares them; no schema is needed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from billing_pipeline.catalog.feed_frames_extra import BerFrame
from billing_pipeline.mediation.framing.ber_elements import DEEPEST, Element, elements_within
from billing_pipeline.mediation.framing.ber_places import Node, Place, elements_at, parsed_place
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.framing.documents import read_within
from billing_pipeline.mediation.framing.rows import Row, row_blocks
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason

if TYPE_CHECKING:
    import asn1

_DAMAGED = (ValueError, IndexError, OverflowError, RecursionError)
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
    reader = _Reader(frame, content, asn1.Decoder(), asn1.Error)
    try:
        reader.read_others()
    except _DAMAGED as error:
        raise _malformed(error) from error
    if not reader.is_entered:
        raise FileRefused(
            QuarantineReason.MALFORMED_DOCUMENT, f"the file has no element at {frame.records[0]!r}"
        )
    return row_blocks(_rows(reader, [parsed_place(text) for text in wanted]), wanted)


def _rows(reader: "_Reader", places: list[Place]) -> Iterator[Row]:
    root = _root(reader.others)
    records = reader.records()
    while True:
        try:
            record = next(records, None)
        except _DAMAGED as error:
            raise _malformed(error) from error
        if record is None:
            return
        values = tuple(_text(reader.frame, root, record, place) for place in places)
        yield Row(values, json.dumps(record.shown()))


def _malformed(error: Exception) -> FileRefused:
    return FileRefused(QuarantineReason.MALFORMED_DOCUMENT, f"BER: {error}"[:300])


@dataclass
class _Reader:
    """Walks a file twice: for what stands beside the records by its path, then record by record.

    What a record refers to may stand behind it.
    """

    frame: BerFrame
    content: bytes
    decoder: "asn1.Decoder"
    error: type[Exception]
    others: list[tuple[tuple[int, ...], Node]] = field(default_factory=list)
    is_entered: bool = False

    def read_others(self) -> None:
        """Read everything but the records."""
        for path, element, is_record in self._walk((), 0, len(self.content)):
            if not is_record:
                self.others.append((path, self._read(path, element)))

    def records(self) -> Iterator[Node]:
        """Every element at one of the paths, in the order of the file."""
        for path, element, is_record in self._walk((), 0, len(self.content)):
            if is_record:
                yield self._read(path, element)

    def _walk(
        self, path: tuple[int, ...], start: int, end: int
    ) -> Iterator[tuple[tuple[int, ...], Element, bool]]:
        patterns = [one.split("/") for one in self.frame.records]
        for element in elements_within(self.content, start, end, len(path)):
            here = (*path, element.tag)
            if any(_fits(here, pattern) for pattern in patterns):
                yield here, element, True
            elif element.is_open and any(_fits(here, pattern[: len(here)]) for pattern in patterns):
                self.is_entered = True
                yield from self._walk(here, element.inner, element.inner_end)
            else:
                yield here, element, False

    def _read(self, path: tuple[int, ...], element: Element) -> Node:
        self.decoder.start(self.content[element.start : element.end])
        try:
            return self._node(len(path))
        except self.error as error:
            raise ValueError(str(error)) from error

    def _node(self, depth: int) -> Node:
        tag = self.decoder.peek()
        if tag is None or depth > DEEPEST:
            raise ValueError(f"elements lie more than {DEEPEST} deep, or end too early")
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
