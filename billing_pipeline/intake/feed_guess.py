"""A first feed definition guessed from a sample file, to be corrected by hand."""

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

from billing_pipeline.intake.archive import open_usage
from billing_pipeline.intake.guessed_columns import GuessedColumn, guessed_columns

_SAMPLE_BYTES = 256 * 1024
_ROWS = 200
_DELIMITERS = ",;\t|"
_STARTS = re.compile(r"start|begin|answer|time|date|when")
_QUANTITIES = re.compile(r"billsec|duration|seconds|secs|quantity|usage|units|bytes|count|minutes")
_IDS = re.compile(r"^(id|uuid|.*_id|.*unique.*|.*record.*|call_?id|cdr_?id|reference)$")
_OWNERS = re.compile(r"account|customer|subscri|msisdn|caller|src|source|from|a_?number|line|meter")


class NotGuessed(Exception):
    """A sample whose kind of file cannot be told; the message says how to go on."""


def guessed_feed(sample: Path, *, key: str | None, zone: str, country: str | None) -> str:
    """The YAML of a feed that reads files like the sample.

    Raises: NotGuessed if it is neither delimited text nor JSON lines.
    """
    text = _head(sample)
    if text.lstrip().startswith("{"):
        frame, names, rows = "frame: {framing: ndjson}", *_json_rows(text, sample)
    elif text.lstrip().startswith(("<", "[")):
        raise NotGuessed(
            f"{sample.name} is XML or a JSON document: start from a shipped feed that reads one, "
            "`billing feed show green_button` or `billing feed show freeswitch_json`"
        )
    else:
        frame, names, rows = _delimited(text, sample)
    columns = guessed_columns(names, rows, country)
    return _definition(sample, key, frame, columns, zone, country)


def _head(sample: Path) -> str:
    with open_usage(str(sample), sample.name) as stream:
        given = stream.read(_SAMPLE_BYTES)
    lines = given.decode("utf-8-sig", errors="replace").splitlines()
    # The last line may be cut in the middle.
    whole = lines[:-1] if len(given) == _SAMPLE_BYTES else lines
    kept = [line for line in whole if line.strip()][: _ROWS + 1]
    if not kept:
        raise NotGuessed(f"{sample.name} holds no line to guess from")
    return "\n".join(kept)


def _json_rows(text: str, sample: Path) -> tuple[list[str], list[list[str]]]:
    try:
        records = [json.loads(line) for line in text.splitlines()]
    except ValueError as error:
        raise NotGuessed(f"{sample.name} begins like JSON lines, but: {error}") from None
    names = list(dict.fromkeys(name for record in records for name in record))
    plain = [name for name in names if not isinstance(records[0].get(name), dict | list)]
    return plain, [[str(record.get(name, "")) for name in plain] for record in records]


def _delimited(text: str, sample: Path) -> tuple[str, list[str], list[list[str]]]:
    delimiter = max(_DELIMITERS, key=lambda mark: _regularity(text, mark))
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    if len(rows[0]) < 2:  # noqa: PLR2004 - one column is no table
        raise NotGuessed(f"{sample.name}: no delimiter of comma, semicolon, tab or bar cuts it")
    mark = "" if delimiter == "," else f", delimiter: {json.dumps(delimiter)}"
    if _is_header(rows):
        return f"frame: {{framing: delimited, header: names{mark}}}", rows[0], rows[1:]
    names = [f"column_{number}" for number in range(1, len(rows[0]) + 1)]
    listed = ", ".join(names)
    frame = f"frame:\n  framing: delimited\n  header: none\n  columns: [{listed}]"
    return frame + (f"\n  delimiter: {json.dumps(delimiter)}" if mark else ""), names, rows


def _regularity(text: str, delimiter: str) -> tuple[int, int]:
    """How many rows have the usual number of columns, and that number."""
    widths = [len(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    usual = max(set(widths), key=lambda width: (widths.count(width), width))
    return (widths.count(usual) if usual > 1 else 0, usual)


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Names are distinct words; a row of data has a number or a time somewhere."""
    first = [cell.strip() for cell in rows[0]]
    return len(set(first)) == len(first) and all(
        cell and not re.fullmatch(r"[-+\d.,:/ T]+Z?", cell) for cell in first
    )


def _definition(
    sample: Path,
    key: str | None,
    frame: str,
    columns: list[GuessedColumn],
    zone: str,
    country: str | None,
) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", sample.name.split(".")[0].lower()).strip("-")
    chosen_key = key or re.sub(r"-?[0-9]+", "", stem).strip("-") or "feed"
    started = _chosen(columns, _STARTS, "time")
    if started is None:
        raise NotGuessed(
            f"{sample.name} has no column that reads as a time; start from a shipped feed of its "
            "kind, `billing feed list`, or from docs/define-a-feed.md"
        )
    quantity = _chosen(columns, _QUANTITIES, "duration", "integer", "decimal")
    owner = _chosen(columns, _OWNERS, "phone", "text", "integer") or columns[0]
    identity = [one.field for one in columns if _IDS.match(one.field) and one.is_distinct][:1]
    return "\n".join(
        [
            f"# Guessed from {sample.name}. Look at every line marked with `?`.",
            f"key: {chosen_key}",
            f"name: {chosen_key.replace('-', ' ').title()}",
            f"match: {{file_name: '{_pattern(sample.name)}'}}  # ? which names belong to the feed",
            frame,
            "fields:",
            *(f"  {one.yaml(zone, is_needed=one in (started, owner))}" for one in columns),
            *([f"numbers: {{country: {country}}}"] if country else []),
            f"identity: [{', '.join(identity)}]  # ? fields that name a record; none: all of it",
            *_hints(columns),
            "event:",
            "  usage_type: usage  # ? voice, message, traffic ...: prices select by it",
            f"  service_identifier: {owner.field}  # ? whose usage it is",
            f"  started_at: {started.field}",
            f"  quantity: {quantity.field if quantity else '1'}  # ? what is measured",
            f"  unit: {'s' if quantity and quantity.kind == 'duration' else 'each'}  # ? its unit",
            "",
        ]
    )


def _chosen(
    columns: list[GuessedColumn], names: re.Pattern[str], *kinds: str
) -> GuessedColumn | None:
    """The best column: a telling name and a fitting kind, else a fitting kind but for owners."""
    fitting = [one for kind in kinds for one in columns if one.kind == kind]
    told = [one for one in fitting if names.search(one.field)]
    return next(iter([*told, *fitting]), None)


def _pattern(name: str) -> str:
    """The name with numbers let free."""
    bare = re.sub(r"\.(gz|gzip|zip|bz2)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"[0-9]+", "[0-9]+", re.escape(bare).replace("'", "''"))


def _hints(columns: list[GuessedColumn]) -> list[str]:
    """Columns with few values often say which records count."""
    return [
        f"# ? {one.field} has the values {', '.join(one.values)}: see `records` in the guide"
        for one in columns
        if one.kind == "text" and re.search(r"disposition|status|result|state|type", one.field)
    ]
