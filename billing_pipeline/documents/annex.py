"""The usage annex: every event as one line of monospaced text, made column by column.

Text instead of an HTML table, because laying out a table costs seconds per thousand rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl
from babel.dates import get_date_format

from billing_pipeline.documents.drawn_text import TextPage, Tone
from billing_pipeline.documents.formats import Formats
from billing_pipeline.vocabulary.money import plain_text

_SECONDS = "voice"
_WIDTHS = {"when": 19, "from": 18, "to": 18, "rate": 28, "units": 11, "price": 10}
_BETWEEN = "  "
_RIGHT = {"units", "price"}
_PRICE_DECIMALS = 4
_TITLE_ROWS = 6
_LEAST_ROOM = 5
ROWS_PER_PAGE = {"A4": 77, "Letter": 72}


@dataclass(frozen=True)
class AnnexGroup:
    """Usage of one subscription: a heading, and its events as lines of equal width."""

    account_key: str
    subscription_key: str
    events: int
    amount: Decimal
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All lines, one under the other."""
        return "\n".join(self.lines)


def annex_pages(groups: Sequence[AnnexGroup], head: str, rows: int) -> tuple[TextPage, ...]:
    """The lines of all groups cut into pages of `rows` lines, every page but the first headed.

    The first page has room for a title and the head that the template sets. Every group starts
    with a heading that never stands last on a page.
    """
    pages: list[_PageBeingFilled] = []
    for group in groups:
        if not pages:
            pages.append(_PageBeingFilled(rows - _TITLE_ROWS))
        elif pages[-1].room < _LEAST_ROOM:
            pages.append(_PageBeingFilled(rows, [head, ""], {0: Tone.QUIET}))
        pages[-1].add_heading(f"{group.account_key} \u00b7 {group.subscription_key}")
        lines = group.lines
        while lines:
            if pages[-1].room == 0:
                pages.append(_PageBeingFilled(rows, [head, ""], {0: Tone.QUIET}))
            taken, lines = lines[: pages[-1].room], lines[pages[-1].room :]
            pages[-1].lines.extend(taken)
    return tuple(
        TextPage(annex_anchor(number), tuple(page.lines), page.tones)
        for number, page in enumerate(pages, start=1)
    )


def annex_anchor(number: int) -> str:
    """Id of the element of an annex page, counted from 1."""
    return f"usage-page-{number}"


@dataclass
class _PageBeingFilled:
    rows: int
    lines: list[str] = field(default_factory=list)
    tones: dict[int, Tone] = field(default_factory=dict)

    @property
    def room(self) -> int:
        return self.rows - len(self.lines)

    def add_heading(self, text: str) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")
        self.tones[len(self.lines)] = Tone.ACCENT
        self.lines.append(text)


def annex_head(words: dict[str, str]) -> str:
    """Column titles over the lines, in the same widths."""
    cells = (_pad_text(words[name][:width], name) for name, width in _WIDTHS.items())
    return _BETWEEN.join(cells)


def annex_groups(
    itemisation: pl.DataFrame, time_zone: str, formats: Formats, most_rows: int
) -> tuple[AnnexGroup, ...]:
    """The first `most_rows` events with a price of their own, as lines of text.

    Events priced over the period (samples, tiers) say nothing line by line; they are in the
    itemisation file. Shape: by account and subscription.
    Columns: local time, origin, destination, rate, units (h:mm:ss for calls), price.
    """
    priced = itemisation.filter(pl.col("unit_price").is_not_null() | (pl.col("amount") != 0))
    if priced.is_empty() or most_rows == 0:
        return ()
    groups = (
        priced.head(most_rows)
        .with_columns(line=_line(time_zone, formats))
        .group_by("account_key", "subscription_key", maintain_order=True)
        .agg(events=pl.len(), amount=pl.col("amount").sum(), lines=pl.col("line"))
    )
    columns = (groups[name].to_list() for name in groups.columns)
    return tuple(
        AnnexGroup(account, subscription, events, amount, tuple(lines))
        for account, subscription, events, amount, lines in zip(*columns, strict=True)
    )


def _line(time_zone: str, formats: Formats) -> pl.Expr:
    local = pl.col("started_at").dt.convert_time_zone(time_zone)
    cells = {
        "when": local.dt.strftime(f"{_day_format(formats)} %H:%M:%S"),
        "from": pl.col("origin"),
        "to": pl.col("destination"),
        "rate": pl.coalesce("rate_name", "usage_type"),
        "units": _units(formats),
        "price": _price(formats),
    }
    return pl.concat_str(
        [_pad(cell.fill_null(""), name) for name, cell in cells.items()], separator=_BETWEEN
    )


def _day_format(formats: Formats) -> str:
    """The locale's short date as a strftime pattern, e.g. `%d.%m.%Y`."""
    pattern = str(get_date_format("short", locale=formats.name.replace("-", "_")))
    for token, directive in (("yyyy", "y"), ("yy", "y"), ("MM", "M"), ("dd", "d")):
        pattern = pattern.replace(token, directive)
    return "".join({"y": "%Y", "M": "%m", "d": "%d"}.get(sign, sign) for sign in pattern)


def _units(formats: Formats) -> pl.Expr:
    """Billable units: h:mm:ss for calls, else the number without useless zeros."""
    seconds = pl.col("billable_units").round(0).cast(pl.Int64)
    clock = pl.format(
        "{}:{}:{}",
        seconds // 3600,
        _two_digits(seconds // 60 % 60),
        _two_digits(seconds % 60),
    )
    plain = plain_text(pl.col("billable_units"))
    return (
        pl.when(pl.col("usage_type") == _SECONDS).then(clock).otherwise(_with_mark(plain, formats))
    )


def _two_digits(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.String).str.zfill(2)


def _price(formats: Formats) -> pl.Expr:
    """Price of the event; a dash where usage is priced over the whole period."""
    exact = pl.col("amount").round(_PRICE_DECIMALS, mode="half_away_from_zero")
    shown = exact.cast(pl.Decimal(38, _PRICE_DECIMALS)).cast(pl.String)
    is_priced_later = pl.col("unit_price").is_null() & (pl.col("amount") == 0)
    return pl.when(is_priced_later).then(pl.lit("-")).otherwise(_with_mark(shown, formats))


def _with_mark(number: pl.Expr, formats: Formats) -> pl.Expr:
    return number.str.replace(".", formats.decimal_mark, literal=True)


def _pad(cell: pl.Expr, name: str) -> pl.Expr:
    width = _WIDTHS[name]
    if name in _RIGHT:
        return cell.str.pad_start(width)
    return cell.str.head(width).str.pad_end(width)


def _pad_text(text: str, name: str) -> str:
    width = _WIDTHS[name]
    return text.rjust(width) if name in _RIGHT else text.ljust(width)
