"""Blocks: what every framing hands on, and line-aligned pieces of a stream."""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

import polars as pl

from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason

BLOCK_BYTES = 32 * 1024 * 1024
"""Bytes read at a time; memory of a stage is a small multiple of it."""

RAW_KEPT = 2000
"""Characters of an over-long record that are shown in suspense; the archive keeps all of it."""

REJECTS = pl.Schema(
    {
        "record_number": pl.Int64,
        "reason": pl.String,
        "detail": pl.String,
        "raw": pl.String,
    }
)

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class FramedBlock:
    """Records of one block: their text columns, and those that could not be cut.

    `columns` has one row per record, all text, of the wanted columns; `names` are all columns of
    the file in order. `numbers` are record numbers in the file, flags
    are remarks per record (or None), `raw` gives the records as they stood, in the same order.
    `is_trimmed` says that no column begins or ends with a blank.
    """

    columns: pl.DataFrame
    names: list[str]
    numbers: pl.Series
    raw: Callable[[], pl.Series]
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTS))
    flags: pl.Series | None = None
    is_trimmed: bool = False

    @property
    def records(self) -> int:
        """Records in the block, good and bad."""
        return self.numbers.len() + self.rejects.height


@dataclass(frozen=True)
class LineBlock:
    r"""Whole lines with `\n` ends, still in the file's encoding; or the head of an endless line."""

    text: bytes
    is_last: bool
    is_overlong: bool = False


def line_blocks(stream: IO[bytes], max_record_bytes: int, encoding: str) -> Iterator[LineBlock]:
    """Cut a stream at line ends into blocks of bounded size.

    CR LF and CR become LF, a byte order mark is taken off. A line longer than
    `max_record_bytes` that fills a whole block is handed on as its head and skipped to its end.
    Raises: FileRefused for UTF-16 where the feed does not declare it.
    """
    held = b""
    is_skipping = False
    chunks = _unix_lines(_utf8(stream) if encoding == "utf-16" else _marked(stream))
    for chunk in chunks:
        text = held + chunk
        if is_skipping:
            end = text.find(b"\n") + 1
            is_skipping, text = end == 0, text[end:] if end else b""
        cut = text.rfind(b"\n") + 1
        if cut:
            yield LineBlock(text[:cut], is_last=False)
        held = text[cut:]
        if len(held) > max(max_record_bytes, BLOCK_BYTES):
            yield LineBlock(held[:RAW_KEPT], is_last=False, is_overlong=True)
            held, is_skipping = b"", True
    yield LineBlock(held, is_last=True)


def _marked(stream: IO[bytes]) -> Iterator[bytes]:
    head = stream.read(BLOCK_BYTES)
    if head[:2] in _UTF16_MARKS:
        raise FileRefused(
            QuarantineReason.UNEXPECTED_ENCODING, "the file is UTF-16; the feed does not allow it"
        )
    yield head.removeprefix(codecs.BOM_UTF8)
    while chunk := stream.read(BLOCK_BYTES):
        yield chunk


def _utf8(stream: IO[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        while chunk := stream.read(BLOCK_BYTES):
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise FileRefused(QuarantineReason.UNEXPECTED_ENCODING, f"not UTF-16: {error}") from error


def _unix_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        text = held + chunk
        held = b"\r" if text.endswith(b"\r") else b""
        text = text[: len(text) - len(held)]
        yield text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text
    if held:
        yield b"\n"


def utf8_or_none(text: bytes, encoding: str) -> bytes | None:
    """The same text in UTF-8, or None if it is not valid in its encoding."""
    if text.isascii():
        return text
    try:
        decoded = text.decode("utf-8" if encoding == "utf-16" else encoding)
    except UnicodeError:
        return None
    return text if encoding in ("utf-8", "utf-16") else decoded.encode()


def decoded_lines(text: bytes, encoding: str, fallback: str | None) -> pl.DataFrame:
    """Lines with columns `line`, `flag` and `reason`, decoded one by one where need be.

    A line that only the fallback can read is flagged; one that none can is `invalid_encoding`,
    with its odd bytes written as escapes.
    """
    whole = utf8_or_none(text, encoding)
    if whole is not None:
        lines = pl.Series("line", [whole.decode()]).str.split("\n").explode()
        return lines.to_frame().with_columns(
            flag=pl.lit(None, pl.String), reason=pl.lit(None, pl.String)
        )
    read = [_decoded(line, encoding, fallback) for line in text.split(b"\n")]
    return pl.DataFrame(
        read, schema={"line": pl.String, "flag": pl.String, "reason": pl.String}, orient="row"
    )


def _decoded(
    line: bytes, encoding: str, fallback: str | None
) -> tuple[str, str | None, str | None]:
    for name, flag in ((encoding, None), (fallback, "fallback_encoding")):
        try:
            if name is not None:
                return line.decode("utf-8" if name == "utf-16" else name), flag, None
        except UnicodeError:
            continue
    return line.decode("ascii", errors="backslashreplace"), None, "invalid_encoding"
