"""From drawn events to the lines of files: good ones, spoilt ones, and ones that come twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.demo.usage.draw import Rng

BILLABLE, FILTERED, UNKNOWN = "billable", "filtered", "unknown"
MALFORMED, DUPLICATE = "malformed", "duplicate"
KINDS = (BILLABLE, FILTERED, UNKNOWN, MALFORMED, DUPLICATE)
"""What becomes of a line: billed, set aside, no owner, unreadable, or seen before."""

_SPOILT_TIME, _SPOILT_QUANTITY = "2026-13-45 25:61:00", "-17"
_CELLS_LEFT = 3


@dataclass(frozen=True)
class Shares:
    """Trouble as a share of billable events; each comes on top of them."""

    filtered: float = 0.10
    unknown: float = 0.003
    malformed: float = 0.001
    duplicate: float = 0.006


@dataclass(frozen=True)
class FeedLines:
    """The events of one feed and how each is written.

    `frame` has at, local and kind; `spoilt` are ways to write a malformed line, used in turn.
    """

    frame: pl.DataFrame
    line: pl.Expr
    spoilt: tuple[pl.Expr, ...]
    header: str | None = None


def delimited(
    frame: pl.DataFrame,
    cells: Sequence[pl.Expr],
    *,
    header: str | None,
    time_cell: int,
    quantity_cell: int,
    separator: str = ",",
) -> FeedLines:
    """Lines of cells; a spoilt one is cut short, has an impossible time or a negative quantity."""
    quote = '"' if header is None else ""
    impossible = _replaced(cells, time_cell, f"{quote}{_SPOILT_TIME}{quote}")
    negative = _replaced(cells, quantity_cell, _SPOILT_QUANTITY)
    return FeedLines(
        frame=frame,
        line=pl.concat_str(cells, separator=separator),
        spoilt=tuple(
            pl.concat_str(variant, separator=separator)
            for variant in (cells[:_CELLS_LEFT], impossible, negative)
        ),
        header=header,
    )


def written(rng: Rng, lines: FeedLines, shares: Shares) -> pl.DataFrame:
    """Every line with the local day whose file holds it, some of them twice.

    Shape: day, at, kind, line; in order of day and time. A copy stands in the file of its own
    day or in that of the next day that has one.
    """
    turn = pl.int_range(pl.len()) % len(lines.spoilt)
    spoilt = pl.coalesce(
        pl.when(turn == position).then(line) for position, line in enumerate(lines.spoilt)
    )
    text = pl.when(pl.col("kind") == MALFORMED).then(spoilt).otherwise(lines.line)
    once = lines.frame.select("at", "kind", day=pl.col("local").dt.date(), line=text)
    copies = _copies(rng, once, shares)
    return pl.concat([once, copies], how="diagonal").sort("day", "at", "line", maintain_order=True)


def _copies(rng: Rng, once: pl.DataFrame, shares: Shares) -> pl.DataFrame:
    billable = once.filter(pl.col("kind") == BILLABLE)
    count = round(billable.height * shares.duplicate)
    chosen = rng.permutation(billable.height)[:count]
    days = once.select("day").unique().sort("day")
    next_days = days.with_columns(next_day=pl.col("day").shift(-1).fill_null(pl.col("day")))
    copies = billable[chosen].join(next_days, on="day", how="left", validate="m:1")
    is_next = (pl.int_range(pl.len()) % 2) == 1
    return copies.select(
        "at",
        "line",
        kind=pl.lit(DUPLICATE),
        day=pl.when(is_next).then("next_day").otherwise("day"),
    )


def _replaced(cells: Sequence[pl.Expr], position: int, text: str) -> list[pl.Expr]:
    return [*cells[:position], pl.lit(text), *cells[position + 1 :]]
