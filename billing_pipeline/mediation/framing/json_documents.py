"""JSON documents, streamed: the records of a list are cut one by one, as far as has been read."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO

from billing_pipeline.catalog.feed_frames import JsonFrame
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.framing.json_paths import Repeated, decoded_at, text_at
from billing_pipeline.mediation.framing.rows import Row, row_blocks
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason
from billing_pipeline.vocabulary.outcome import SuspenseReason

_BLANKS = re.compile(r"[ \t\n\r]*")
_LEAST_READ = 1024 * 1024
_LARGEST_VALUE = 64 * 1024 * 1024


def json_blocks(frame: JsonFrame, stream: IO[bytes], paths: list[str]) -> Iterator[FramedBlock]:
    """Records of one JSON document. Raises: FileRefused if it is none, or has no such list.

    What is wrong with the document behind its records shows only then: what was read before must
    be discarded.
    """
    return row_blocks(_rows(frame, stream, paths), paths)


def _rows(frame: JsonFrame, stream: IO[bytes], paths: list[str]) -> Iterator[Row]:
    text = _Text(frame, stream)
    if not text.next_sign():
        return
    try:
        for record in _found(text, frame.records.split(".") if frame.records else [], frame):
            yield _row(record, paths)
        if text.next_sign():
            raise _malformed("something stands behind the document")
    except (ValueError, RecursionError) as error:
        raise _malformed(str(error)) from error


def _row(record: object, paths: list[str]) -> Row:
    nothing = (None,) * len(paths)
    if isinstance(record, Repeated):
        return Row(nothing, record.raw, SuspenseReason.INVALID_SYNTAX.value, record.detail)
    raw = json.dumps(record, ensure_ascii=False)
    if not isinstance(record, dict):
        return Row(nothing, raw, SuspenseReason.INVALID_SYNTAX.value, "not a JSON object")
    return Row(tuple(text_at(record, path) for path in paths), raw)


def _found(text: "_Text", path: list[str], frame: JsonFrame) -> Iterator[object]:
    """The items of the list at a path; what stands there is the one record if it is no list."""
    if path:
        return _member(text, path, frame)
    return _items(text) if text.next_sign() == "[" else iter([text.value()])


def _items(text: "_Text") -> Iterator[object]:
    text.take("[")
    if text.next_sign() == "]":
        text.take("]")
        return
    yield text.value()
    while text.take(",", "]") == ",":
        yield text.value()


def _member(text: "_Text", path: list[str], frame: JsonFrame) -> Iterator[object]:
    """What stands at a path of keys; everything beside it is read and left."""
    is_found = False
    for key in _keys(text) if text.next_sign() == "{" else ():
        if key != path[0]:
            text.value()
        elif is_found:
            raise _malformed(f"the key {key!r} stands twice in one object")
        else:
            is_found = True
            yield from _found(text, path[1:], frame)
    if not is_found:
        raise _malformed(f"the document has no {frame.records!r}")


def _keys(text: "_Text") -> Iterator[object]:
    """The keys of an object; whoever asks for the next has taken the value of the last."""
    text.take("{")
    if text.next_sign() == "}":
        text.take("}")
        return
    yield text.key()
    while text.take(",", "}") == ",":
        yield text.key()


def _malformed(why: str) -> FileRefused:
    return FileRefused(QuarantineReason.MALFORMED_DOCUMENT, why[:300])


class _Text:
    """The document as far as it has been read and not yet taken."""

    def __init__(self, frame: JsonFrame, stream: IO[bytes]) -> None:
        encoding = "utf-8" if frame.encoding == "utf-16" else frame.encoding
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._bytes_left = frame.max_document_bytes
        self._limit = frame.max_document_bytes
        self._text = ""
        self._at = 0
        self._read_more()
        self._text = self._text.removeprefix("\ufeff")

    def next_sign(self) -> str:
        """The next character that is no blank, still to be taken; nothing at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._at = self._at if blanks is None else blanks.end()
            if self._at < len(self._text) or not self._read_more():
                return self._text[self._at : self._at + 1]

    def take(self, *wanted: str) -> str:
        """One of some characters. Raises: ValueError if another stands there."""
        sign = self.next_sign()
        if sign not in wanted or not sign:
            raise ValueError(f"{' or '.join(wanted)} was expected, not {sign or 'the end'}")
        self._at += 1
        return sign

    def key(self) -> object:
        """The key of a member, with its colon."""
        if self.next_sign() != '"':
            raise ValueError("a key in quotes was expected")
        key = self.value()
        self.take(":")
        return key

    def value(self) -> object:
        """The next value whole. Raises: ValueError, RecursionError."""
        self.next_sign()
        while True:
            try:
                value, end = decoded_at(self._text, self._at)
            except ValueError:
                if not self._read_more():
                    raise
                continue
            taken = end - self._at
            # A number that ends with what was read may go on.
            if end == len(self._text) and self._read_more():
                continue
            self._at += taken
            return value

    def _read_more(self) -> bool:
        """Read on, twice as much as is left over; False at the end of the document."""
        left = len(self._text) - self._at
        if left > _LARGEST_VALUE:
            raise FileRefused(
                QuarantineReason.DOCUMENT_TOO_LARGE,
                f"one record of the document has more than {_LARGEST_VALUE} characters",
            )
        chunk = self._stream.read(max(_LEAST_READ, left))
        self._bytes_left -= len(chunk)
        if self._bytes_left < 0:
            raise FileRefused(
                QuarantineReason.DOCUMENT_TOO_LARGE,
                f"the document has more than {self._limit} bytes",
            )
        try:
            text = self._decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:
            raise FileRefused(
                QuarantineReason.UNEXPECTED_ENCODING, "not in the declared encoding"
            ) from error
        self._text, self._at = self._text[self._at :] + text, 0
        return bool(chunk)
