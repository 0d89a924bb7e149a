"""XML documents, streamed: every element at the declared path is one record."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

from billing_pipeline.catalog.feed_frames import XmlFrame
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.framing.rows import Row, row_blocks
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason

_CHUNK = 256 * 1024
_DEEPEST = 200


@dataclass
class _Element:
    """An open element: its name, its text so far, and the texts of what has ended inside it."""

    name: str
    is_inside_record: bool
    text: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    has_children: bool = False


def xml_blocks(frame: XmlFrame, stream: IO[bytes], wanted: list[str]) -> Iterator[FramedBlock]:
    """Records of an XML document.

    Entities are not allowed, whatever they expand to. Raises: FileRefused while reading if the
    document is not well-formed: what was read before must be discarded.
    """
    return row_blocks(_rows(frame, stream, wanted), wanted)


def _rows(frame: XmlFrame, stream: IO[bytes], wanted: list[str]) -> Iterator[Row]:
    reader = _Reader(frame, wanted)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.EntityDeclHandler = reader.entity
    is_empty = True
    try:
        while chunk := stream.read(_CHUNK):
            is_empty = is_empty and not chunk.strip()
            if not is_empty:
                parser.Parse(chunk, False)  # noqa: FBT003 - expat's own signature
            yield from reader.take()
        if not is_empty:
            parser.Parse(b"", True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError as error:
        raise FileRefused(QuarantineReason.MALFORMED_DOCUMENT, f"XML: {error}") from error
    yield from reader.take()


class _Reader:
    """What is open while a document is read, and the records that have ended."""

    def __init__(self, frame: XmlFrame, wanted: list[str]) -> None:
        self.record_path = frame.records.strip("/").split("/")
        self.limit = frame.max_record_bytes
        self.wanted = wanted
        self.open: list[_Element] = []
        self.done: list[Row] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if len(self.open) >= _DEEPEST:
            raise FileRefused(QuarantineReason.MALFORMED_DOCUMENT, "XML nested too deep")
        parent = self.open[-1] if self.open else None
        if parent is not None:
            parent.has_children = True
        local = name.rsplit(":", 1)[-1]
        element = _Element(local, parent is not None and parent.is_inside_record)
        element.values = {f"@{key.rsplit(':', 1)[-1]}": text for key, text in attributes.items()}
        self.open.append(element)
        element.is_inside_record = element.is_inside_record or self._is_record()

    def characters(self, text: str) -> None:
        """Text of the innermost element."""
        if self.open and len(self.open[-1].text) < self.limit:
            self.open[-1].text.append(text)

    def end(self, _name: str) -> None:
        """An element ends: a record, a text of its parent, or nothing of interest."""
        is_record = self._is_record()
        element = self.open.pop()
        text = "".join(element.text).strip()
        if is_record:
            self.done.append(self._row(element, text))
        elif self.open:
            parent = self.open[-1]
            if not element.has_children:
                parent.values.setdefault(element.name, text)
            # Outside records only leaves are kept, so that memory does not grow.
            if element.is_inside_record or not element.has_children:
                for path, value in element.values.items():
                    parent.values.setdefault(f"{element.name}/{path}", value)

    def entity(self, *_declaration: object) -> None:
        """Entities are how XML bombs are built."""
        raise FileRefused(QuarantineReason.MALFORMED_DOCUMENT, "XML with entity declarations")

    def take(self) -> list[Row]:
        """Records that have ended since the last time."""
        done, self.done = self.done, []
        return done

    def _is_record(self) -> bool:
        names = [element.name for element in self.open[-len(self.record_path) :]]
        return names == self.record_path

    def _row(self, element: _Element, text: str) -> Row:
        values = element.values if element.has_children else {**element.values, ".": text}
        return Row(
            tuple(self._value(values, place) for place in self.wanted),
            json.dumps(values, ensure_ascii=False),
        )

    def _value(self, values: dict[str, str], place: str) -> str | None:
        if not place.startswith("^"):
            return values.get(place)
        name, _, path = place[1:].partition("/")
        for element in reversed(self.open):
            if element.name == name:
                return element.values.get(path)
        return None
