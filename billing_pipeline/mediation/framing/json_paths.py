"""JSON records to text columns: a vectorised reader, and an exact one for the odd lines.

The vectorised reader is used where it is exact: it reads numbers to 64 bits, so that lines with
longer runs of digits, deep nesting, repeated keys or lists where text is wanted are read by the
exact one, which keeps every number as it is written.
"""

import json
from typing import NamedTuple

import polars as pl

from billing_pipeline.vocabulary.outcome import SuspenseReason

LONG_DIGITS = r"[0-9.]{16}"
_CHUNK = 20_000
_DEEPEST = 200


class ReadLine(NamedTuple):
    """Values of the wanted paths, or why there are none."""

    values: tuple[str | None, ...]
    reason: str | None
    detail: str | None


class RepeatedKey(ValueError):
    """An object says the same key twice: which of the two is meant is a guess."""


def json_columns(lines: pl.Series, paths: list[str]) -> pl.DataFrame:
    """Text columns named by path; `json reason` and `json detail` say why a line is no record."""
    odd = _odd_lines(lines, paths)
    parts = []
    for start in range(0, lines.len(), _CHUNK):
        chunk, is_odd = lines.slice(start, _CHUNK), odd.slice(start, _CHUNK)
        plain = None if is_odd.any() else _vectorised(chunk, paths)
        parts.append(_mixed(chunk, is_odd, paths) if plain is None else plain)
    return pl.concat(parts) if parts else read_frame([], paths)


def _mixed(chunk: pl.Series, is_odd: pl.Series, paths: list[str]) -> pl.DataFrame:
    """Read the plain lines fast if they are sound, the odd ones exactly, in order."""
    at = pl.int_range(chunk.len(), dtype=pl.Int64, eager=True)
    plain = _vectorised(chunk.filter(~is_odd), paths)
    if plain is None:
        return _exact(chunk, paths)
    return (
        pl.concat(
            [
                plain.with_columns(at.filter(~is_odd).alias("json at")),
                _exact(chunk.filter(is_odd), paths).with_columns(
                    at.filter(is_odd).alias("json at")
                ),
            ]
        )
        .sort("json at")
        .drop("json at")
    )


def _odd_lines(lines: pl.Series, paths: list[str]) -> pl.Series:
    line = pl.col("line")
    keys = {part for path in paths for part in path.split(".")}
    repeated = pl.any_horizontal(
        line.str.count_matches(f'"{key}"', literal=True) > 1 for key in sorted(keys)
    )
    sound = line.str.starts_with("{") & line.str.ends_with("}")
    nested = line.str.count_matches("{", literal=True) > _DEEPEST
    listed = line.str.count_matches("[", literal=True) > _DEEPEST
    odd = line.str.contains(LONG_DIGITS) | repeated | ~sound | nested | listed
    return lines.alias("line").to_frame().select(odd).to_series()


def _vectorised(lines: pl.Series, paths: list[str]) -> pl.DataFrame | None:
    tree = _tree(paths)
    if tree is None:
        return None
    try:
        decoded = lines.str.json_decode(_dtype(tree)).alias("json record").to_frame()
    except pl.exceptions.PolarsError:
        return None
    return decoded.select(
        *(_at_path(path).alias(path) for path in paths),
        pl.lit(None, pl.String).alias("json reason"),
        pl.lit(None, pl.String).alias("json detail"),
    )


def _at_path(path: str) -> pl.Expr:
    value = pl.col("json record")
    for part in path.split("."):
        value = value.struct.field(part)
    return value


Tree = dict[str, "Tree | None"]


def _tree(paths: list[str]) -> Tree | None:
    """Paths as a tree; None if one path runs through the end of another."""
    root: Tree = {}
    for path in paths:
        *parents, leaf = path.split(".")
        level = root
        for part in parents:
            below = level.setdefault(part, {})
            if below is None:
                return None
            level = below
        if leaf in level:
            return None
        level[leaf] = None
    return root


def _dtype(tree: Tree) -> pl.Struct:
    return pl.Struct(
        {name: pl.String if below is None else _dtype(below) for name, below in tree.items()}
    )


def _exact(lines: pl.Series, paths: list[str]) -> pl.DataFrame:
    return read_frame([read_line(line, paths) for line in lines], paths)


def read_frame(read: list[ReadLine], paths: list[str]) -> pl.DataFrame:
    """The frame of `json_columns` from lines read one by one."""
    return pl.DataFrame(
        [(*one.values, one.reason, one.detail) for one in read],
        schema=dict.fromkeys([*paths, "json reason", "json detail"], pl.String),
        orient="row",
    )


def read_line(line: str, paths: list[str]) -> ReadLine:
    """One line, exactly: numbers as they are written, a repeated key refused."""
    nothing = (None,) * len(paths)
    try:
        record = load_exactly(line)
    except (ValueError, RecursionError) as error:
        return ReadLine(nothing, SuspenseReason.INVALID_SYNTAX.value, str(error)[:200])
    if not isinstance(record, dict):
        return ReadLine(nothing, SuspenseReason.INVALID_SYNTAX.value, "not a JSON object")
    return ReadLine(tuple(text_at(record, path) for path in paths), None, None)


def load_exactly(text: str) -> object:
    """JSON with numbers kept as written. Raises: ValueError, RepeatedKey, RecursionError."""
    return _EXACT.decode(text)


class Repeated(NamedTuple):
    """A value with an object that says the same key twice, as it stands."""

    raw: str
    detail: str


def decoded_at(text: str, at: int) -> tuple[object, int]:
    """The value that begins at a place, read exactly, and where it ends.

    Raises: ValueError if it is none or has no end here, RecursionError.
    """
    try:
        return _EXACT.raw_decode(text, at)
    except RepeatedKey as error:
        _, end = _PLAIN.raw_decode(text, at)
        return Repeated(text[at:end], str(error)), end


class _Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RepeatedKey(f"the key {twice!r} stands twice in one object")
    return record


_EXACT = json.JSONDecoder(
    parse_float=_Number,
    parse_int=_Number,
    parse_constant=_Number,
    object_pairs_hook=_without_repeats,
)
_PLAIN = json.JSONDecoder()


def text_at(record: object, path: str) -> str | None:
    """The text of what stands at a path of keys and list positions; null if nothing."""
    value = record
    for part in path.split(".") if path else []:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return _as_text(value)


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
