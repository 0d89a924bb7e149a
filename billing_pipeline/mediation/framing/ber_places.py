"""Elements of a BER file, the places in them, and how their octets are read as text."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from billing_pipeline.catalog.feed_frames_extra import PLACE

_STEP = re.compile(r"^(?P<tag>\*|\d+)(?:\[(?P<child>\d+)=(?P<text>[^\]]*)\])?$")
_MOST_DIGITS = 38
Shown: TypeAlias = "str | dict[str, list[Shown]]"


class Node(NamedTuple):
    """One element: its tag number, and its octets or the elements in it."""

    tag: int
    octets: bytes
    children: tuple["Node", ...] = ()
    is_open: bool = False

    def shown(self) -> Shown:
        """The element for people: tags, and octets in hexadecimal."""
        if not self.is_open:
            return {str(self.tag): [self.octets.hex()]}
        return {str(self.tag): [child.shown() for child in self.children]}


class Step(NamedTuple):
    """One step down: any tag (None) or one, with a child that must read a text."""

    tag: int | None
    child: int | None = None
    text: str | None = None

    def takes(self, node: Node) -> bool:
        """Whether an element is meant."""
        if self.tag is not None and node.tag != self.tag:
            return False
        return self.child is None or any(
            child.tag == self.child and child.octets.decode("ascii", "replace") == self.text
            for child in node.children
        )


class Place(NamedTuple):
    """A parsed place: where, from where, and how it is read."""

    steps: tuple[Step, ...]
    kind: str = "text"
    is_from_root: bool = False
    table: str | None = None
    is_tag: bool = False

    def read(self, node: Node) -> str | None:
        """The text at the place, null if there is none."""
        found = elements_at(node, self.steps)
        if self.kind == "sum":
            values = [_integer(one.octets) for one in found]
            return str(sum(map(int, values))) if values else None
        first = next(iter(found), None)
        return None if first is None or first.is_open else _KINDS[self.kind](first.octets)


@lru_cache(maxsize=1024)
def parsed_place(text: str) -> Place:
    """Parse a place; one that cannot be read leads nowhere and is a missing column."""
    if text == "@tag":
        return Place((), is_tag=True)
    found = PLACE.match(text)
    if found is None:
        return Place((Step(-1),))
    if found["table"]:
        inner = parsed_place(found["inner"])
        return inner._replace(table=found["table"])
    return Place(
        tuple(_step(step) for step in found["steps"].split("/")),
        found["kind"] or "text",
        is_from_root=found["root"] == "^",
    )


def _step(text: str) -> Step:
    parts = _STEP.match(text)
    if parts is None:
        return Step(-1)
    tag = None if parts["tag"] == "*" else int(parts["tag"])
    child = int(parts["child"]) if parts["child"] else None
    return Step(tag, child, parts["text"])


def elements_at(node: Node, steps: Sequence[Step]) -> list[Node]:
    """Every element below `node` that the steps lead to, in order."""
    found = [node]
    for step in steps:
        found = list(_children(found, step))
    return found


def _children(nodes: list[Node], step: Step) -> Iterator[Node]:
    for node in nodes:
        yield from (child for child in node.children if step.takes(child))


def _integer(octets: bytes) -> str:
    return str(int.from_bytes(octets, "big", signed=True))


def _digits(octets: bytes) -> str:
    return octets.hex().rstrip("f")


def _swapped(octets: bytes) -> str:
    pairs = octets.hex()
    return "".join(pairs[at + 1] + pairs[at] for at in range(0, len(pairs), 2)).rstrip("f")


def _power10(octets: bytes) -> str | None:
    power = int.from_bytes(octets, "big", signed=True)
    return "1" + "0" * power if 0 <= power < _MOST_DIGITS else None


_KINDS: dict[str, Callable[[bytes], str | None]] = {
    "text": lambda octets: octets.decode("ascii", errors="backslashreplace"),
    "integer": _integer,
    "bcd": _digits,
    "tbcd": _swapped,
    "hex": bytes.hex,
    "power10": _power10,
}
