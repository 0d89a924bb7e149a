"""How figures are shown in the UI: counts as plots, money exactly and as a plot."""

from decimal import Decimal

import dagster as dg
import polars as pl

from billing_pipeline.vocabulary.money import from_minor_units, minor_exponent, plain_text

Metadata = dict[str, dg.MetadataValue]
_TABLE_ROWS = 20
_LONGEST_CELL = 300
_SHOWN = 4


def counts(**figures: int) -> Metadata:
    """Whole numbers; Dagster plots them over partitions."""
    return {name: dg.MetadataValue.int(figure) for name, figure in figures.items()}


def row_count(rows: int) -> Metadata:
    """The number Dagster shows beside an asset."""
    return {"dagster/row_count": dg.MetadataValue.int(rows)}


def amount(name: str, value: Decimal, currency: str) -> Metadata:
    """An exact amount as text, and as a number only for the plot."""
    # Ten decimals are carried; shown are those that say something, and the currency's own.
    decimals = max(minor_exponent(currency), -int(value.normalize().as_tuple().exponent))
    return {
        name: dg.MetadataValue.text(f"{value:.{decimals}f} {currency}"),
        f"{name} (plot)": dg.MetadataValue.float(float(value)),
    }


def minor_amount(name: str, minor: int, currency: str) -> Metadata:
    """A booked amount."""
    return amount(name, from_minor_units(minor, currency), currency)


def beginning(identifier: pl.Expr) -> pl.Expr:
    """The first characters of numbers and addresses: Dagster's event log keeps what it is told."""
    return identifier.str.head(_SHOWN) + "\N{HORIZONTAL ELLIPSIS}"


def table(frame: pl.DataFrame) -> dg.MetadataValue:
    """The first rows of a frame as a Markdown table: all columns, nothing where there is null."""
    if frame.is_empty():
        return dg.MetadataValue.md("none")
    shown = frame.head(_TABLE_ROWS).select(_cell(frame, name) for name in frame.columns)
    rows = [frame.columns, ["---"] * frame.width, *shown.rows()]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if frame.height > _TABLE_ROWS:
        lines.append(f"\nand {frame.height - _TABLE_ROWS} more")
    return dg.MetadataValue.md("\n".join(lines))


def _cell(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A column as text that stays in its cell."""
    given = pl.col(name)
    if frame.schema[name].is_decimal():
        text = plain_text(given)
    elif isinstance(frame.schema[name], pl.Datetime):
        text = given.dt.strftime("%Y-%m-%d %H:%M")
    else:
        text = given.cast(pl.String)
    in_line = text.str.replace_all(r"[\r\n]+", " ").str.replace_all("|", r"\|", literal=True)
    return in_line.str.slice(0, _LONGEST_CELL).fill_null("")
