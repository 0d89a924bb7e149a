"""BER files for tests, written by the library's own encoder."""

from collections.abc import Sequence
from typing import TypeAlias

import asn1

Tree: TypeAlias = "Sequence[tuple[int, bytes | Tree]]"


def ber(tree: Tree) -> bytes:
    """Elements by application tag: octets, or the elements in it."""
    encoder = asn1.Encoder()
    encoder.start()
    _write(encoder, tree)
    return bytes(encoder.output())


def _write(encoder: asn1.Encoder, tree: Tree) -> None:
    for tag, content in tree:
        if isinstance(content, bytes):
            encoder.write(content, tag, asn1.Types.Primitive, asn1.Classes.Application)
        else:
            encoder.enter(tag, asn1.Classes.Application)
            _write(encoder, content)
            encoder.leave()


def whole(number: int) -> bytes:
    """An INTEGER's octets."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def digits(text: str) -> bytes:
    """A BCD string's octets."""
    return bytes.fromhex(text + "f" * (len(text) % 2))


IMSI, MSISDN = digits("234150000000042"), digits("447700900042")
SUBSCRIBER: tuple[int, Tree] = (427, [(199, [(129, IMSI), (152, MSISDN)])])


def local_time(text: str, code: int) -> tuple[int, Tree]:
    """The start of an event, by the code of its offset."""
    return (44, [(16, text.encode()), (232, whole(code))])


def charged(amount: int) -> Tree:
    """One charged item: its total, and a part of it that must not count again."""
    total = (63, [(71, b"00"), (62, whole(amount))])
    part = (63, [(71, b"01"), (62, whole(amount))])
    return [(69, [(66, b"D"), (64, [total, part])])]


def mobile_originated(at: str, seconds: int, charge: int, *, code: int = 0) -> tuple[int, Tree]:
    """A call made abroad."""
    basics: Tree = [
        SUBSCRIBER,
        (89, [(407, digits("33142685300"))]),
        local_time(at, code),
        (223, whole(seconds)),
    ]
    used: Tree = [(39, [(70, charged(charge))])]
    return (9, [(147, basics), (138, [(156, [(45, b"\x0a\x0b")])]), (38, used)])


def mobile_terminated(at: str, seconds: int, charge: int) -> tuple[int, Tree]:
    """A call received abroad."""
    basics: Tree = [
        SUBSCRIBER,
        (41, [(405, digits("442079460001"))]),
        local_time(at, 1),
        (223, whole(seconds)),
    ]
    return (10, [(153, basics), (38, [(39, [(70, charged(charge))])])])


def data_session(at: str, received: int, sent: int, charge: int) -> tuple[int, Tree]:
    """A data session abroad."""
    basics: Tree = [(115, [SUBSCRIBER]), local_time(at, 0), (223, whole(600)), (72, whole(77))]
    used: Tree = [(250, whole(received)), (251, whole(sent)), (70, charged(charge))]
    return (14, [(114, basics), (121, used)])


def tap3(*events: tuple[int, Tree], counted: int | None = None) -> bytes:
    """A TAP3 transfer batch: offsets +0100 (code 0) and -0330 (code 1), three decimal places."""
    offsets: Tree = [
        (233, [(231, b"+0100"), (232, whole(0))]),
        (233, [(231, b"-0330"), (232, whole(1))]),
    ]
    batch: Tree = [
        (4, [(196, b"FRAF1"), (182, b"GBRCN"), (109, b"00042")]),
        (5, [(135, b"EUR"), (244, whole(3))]),
        (6, [(234, offsets)]),
        (3, list(events)),
        (15, [(43, whole(len(events) if counted is None else counted))]),
    ]
    return ber([(1, batch)])
