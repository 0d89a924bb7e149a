"""Streams of a PDF compressed once: the writer would do it twice, at the slowest level."""

import zlib
from functools import lru_cache

import pydyf

_LEVEL = 6
_LARGE = 2048
_MOST_LARGE = 64


def compress_once(pdf: pydyf.PDF) -> None:
    """Replace the content of every stream that is to be compressed by its compressed bytes.

    The writer reads each object for the file and again for the file identifier.
    """
    for item in pdf.objects:
        if isinstance(item, pydyf.Stream) and item.compress:
            item.stream = [_compressed(_content(item))]
            item.extra["Filter"] = "/FlateDecode"
            item.compress = False


def _content(stream: pydyf.Stream) -> bytes:
    plain = pydyf.Stream(stream.stream)
    _, _, content = plain.data.partition(b"\nstream\n")
    return bytes(content.removesuffix(b"\nendstream"))


def _compressed(content: bytes) -> bytes:
    """Deflated bytes; large streams, such as the colour profile, are often the same."""
    return _large(content) if len(content) > _LARGE else zlib.compress(content, _LEVEL)


@lru_cache(maxsize=_MOST_LARGE)
def _large(content: bytes) -> bytes:
    return zlib.compress(content, _LEVEL)
