"""What the columns of a sample hold: instants, durations, numbers, telephone numbers, text."""

import datetime as dt
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
_WHOLE = re.compile(r"-?\d+")
_DECIMAL = re.compile(r"-?\d+\.\d+")
_COMMA = re.compile(r"-?\d+,\d+")
_CLOCK = re.compile(r"\d{1,3}:\d{2}(:\d{2})?")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{6,18}")
_LENGTHS = re.compile(r"billsec|duration|seconds|secs|length")
_CALLS = re.compile(r"src|dst|caller|called|from|to$|number|msisdn|dialled|ani|dnis")
_NAMES = re.compile(rf"(^|_)(id|uuid|key|account|customer|meter|line|imsi|imei)$|{_CALLS.pattern}")
_NAMING_DIGITS = re.compile(r"0\d|\d{10}")
_MOST_VALUES = 6
_MOST, _OF = 4, 5
"""Times are told by most cells of a column: a sample may hold broken records."""


@dataclass(frozen=True)
class GuessedColumn:
    """One column: its name in the file, the field it becomes, and what it seems to hold."""

    name: str
    field: str
    kind: str
    detail: str
    is_distinct: bool
    values: tuple[str, ...]

    def yaml(self, zone: str, *, is_needed: bool) -> str:
        """The line of the field in a definition."""
        parts = []
        if self.kind == "time":
            parts += ["type: time", f"formats: [{self.detail}]"]
            parts += [] if "%z" in self.detail or "iso" in self.detail else [f"zone: {zone}"]
        elif self.kind != "text":
            parts += [f"type: {self.kind}", *([self.detail] if self.detail else [])]
        if self.name != self.field:
            parts.append(f"source: {json.dumps(self.name)}")
        parts += ["required: true"] if is_needed else []
        return f"{self.field}: {{{', '.join(parts)}}}"


def guessed_columns(
    names: Sequence[str], rows: Sequence[Sequence[str]], country: str | None
) -> list[GuessedColumn]:
    """One guess per column, in order; names become distinct field names."""
    columns: list[GuessedColumn] = []
    for at, name in enumerate(names):
        cells = [row[at].strip() for row in rows if at < len(row) and row[at].strip()]
        field = _field(name, {one.field for one in columns})
        kind, detail = _kind(field, cells, country)
        distinct = tuple(dict.fromkeys(cells))
        columns.append(
            GuessedColumn(
                name.strip(),
                field,
                kind,
                detail,
                is_distinct=len(distinct) == len(cells) > 0,
                values=distinct[:_MOST_VALUES],
            )
        )
    return columns


def _field(name: str, taken: Iterable[str]) -> str:
    field = re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")[:50]
    field = field if re.match(r"[a-z]", field) else f"column_{field}".rstrip("_")
    known = set(taken)
    numbered = (field, *(f"{field}_{number}" for number in range(2, len(known) + 3)))
    return next(one for one in numbered if one not in known)


def _kind(field: str, cells: list[str], country: str | None) -> tuple[str, str]:
    if not cells:
        return "text", ""
    counts = {"iso8601": sum(_ISO.fullmatch(cell) is not None for cell in cells)}
    counts |= {json.dumps(pattern): _read_by(cells, pattern) for pattern in _FORMATS}
    detail, fitting = max(counts.items(), key=lambda count: count[1])
    if fitting * _OF >= len(cells) * _MOST:
        return "time", detail
    if country and _CALLS.search(field) and all(_PHONE.fullmatch(cell) for cell in cells):
        return "phone", ""
    return _number(field, cells)


def _number(field: str, cells: list[str]) -> tuple[str, str]:
    if _NAMES.search(field) or any(_NAMING_DIGITS.match(cell) for cell in cells):
        return "text", ""  # digits that name something; a number would lose its zeros
    if all(_CLOCK.fullmatch(cell) for cell in cells):
        return "duration", "format: clock"
    if all(_WHOLE.fullmatch(cell) for cell in cells):
        return ("duration", "") if _LENGTHS.search(field) else ("integer", "")
    if all(_WHOLE.fullmatch(cell) or _DECIMAL.fullmatch(cell) for cell in cells):
        return ("duration", "") if _LENGTHS.search(field) else ("decimal", "")
    if all(_WHOLE.fullmatch(cell) or _COMMA.fullmatch(cell) for cell in cells):
        return "decimal", 'decimal: ","'
    return "text", ""


def _read_by(cells: list[str], pattern: str) -> int:
    """How many cells read as times of a pattern; none if one reads as another number."""
    fitting = 0
    for cell in cells:
        try:
            read = dt.datetime.strptime(cell, pattern).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
        if "%Y%m" in pattern and read.strftime(pattern) != cell:
            return 0  # any run of digits reads as a compact time
        fitting += 1
    return fitting
