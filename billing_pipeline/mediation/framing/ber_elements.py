"""Where the elements of a BER file begin and end: its outline, without reading what is in them.

Source: ITU-T X.690, 8.1: identifier octets, length octets, end-of-contents octets.
"""

from collections.abc import Iterator
from typing import NamedTuple

DEEPEST = 50
_LONG_TAG = 0x1F
_LARGEST_TAG = 2**63 - 1
_END_OF_CONTENTS = b"\0\0"


class Element(NamedTuple):
    """One element: its tag number, and where it, its contents and what follows it begin."""

    tag: int
    is_open: bool
    start: int
    inner: int
    inner_end: int
    end: int


def elements_within(content: bytes, start: int, end: int, depth: int = 0) -> Iterator[Element]:
    """The elements that lie beside each other in a span.

    Raises: ValueError if one of them reaches beyond it.
    """
    at = start
    while at < end:
        element = _element_at(content, at, end, depth)
        yield element
        at = element.end


def _element_at(content: bytes, start: int, limit: int, depth: int) -> Element:
    if depth > DEEPEST:
        raise ValueError(f"elements lie more than {DEEPEST} deep")
    tag, at = _tag(content, start, limit)
    length, at = _length(content, at, limit)
    is_open = bool(content[start] & 0x20)
    if length is not None:
        if at + length > limit:
            raise ValueError(f"the element at {start} ends too early")
        return Element(tag, is_open, start, at, at + length, at + length)
    inner = at
    while content[at : at + 2] != _END_OF_CONTENTS:
        at = _element_at(content, at, limit, depth + 1).end
    return Element(tag, is_open, start, inner, at, at + 2)


def _tag(content: bytes, at: int, limit: int) -> tuple[int, int]:
    """The tag number, and where it ends."""
    first, at = _octet(content, at, limit)
    # All ones say that the number stands in the octets that follow.
    if first & _LONG_TAG != _LONG_TAG:
        return first & _LONG_TAG, at
    number, octet = 0, 0x80
    while octet & 0x80:
        octet, at = _octet(content, at, limit)
        number = number << 7 | octet & 0x7F
        if number > _LARGEST_TAG:
            raise ValueError(f"the tag number at {at} is too large")
    return number, at


def _length(content: bytes, at: int, limit: int) -> tuple[int | None, int]:
    """The length of the contents, None if end-of-contents octets end them; where they begin."""
    first, at = _octet(content, at, limit)
    octets = first & 0x7F
    if first == octets:
        return octets, at
    if not octets:
        return None, at
    if at + octets > limit:
        raise ValueError(f"the length at {at} ends too early")
    return int.from_bytes(content[at : at + octets]), at + octets


def _octet(content: bytes, at: int, limit: int) -> tuple[int, int]:
    if at >= limit:
        raise ValueError("the file ends within an element")
    return content[at], at + 1
