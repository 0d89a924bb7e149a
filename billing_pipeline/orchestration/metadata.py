"""How figures are shown in the UI: counts as plots, money exactly and as a plot."""

from decimal import Decimal

import dagster as dg
import polars as pl

from billing_pipeline.vocabulary.money import from_minor_units

Metadata = dict[str, dg.MetadataValue]
_TABLE_ROWS = 20
_SHOWN = 4


def counts(**figures: int) -> Metadata:
    """Whole numbers; Dagster plots them over partitions."""
    return {name: dg.MetadataValue.int(figure) for name, figure in figures.items()}


def row_count(rows: int) -> Metadata:
    """The number Dagster shows beside an asset."""
    return {"dagster/row_count": dg.MetadataValue.int(rows)}


def amount(name: str, value: Decimal, currency: str) -> Metadata:
    """An exact amount as text, and as a number only for the plot."""
    return {
        name: dg.MetadataValue.text(f"{value} {currency}"),
        f"{name} (plot)": dg.MetadataValue.float(float(value)),
    }


def minor_amount(name: str, minor: int, currency: str) -> Metadata:
    """A booked amount."""
    return amount(name, from_minor_units(minor, currency), currency)


def beginning(identifier: pl.Expr) -> pl.Expr:
    """The first characters of numbers and addresses: Dagster's event log keeps what it is told."""
    return identifier.str.head(_SHOWN) + "\N{HORIZONTAL ELLIPSIS}"


def table(frame: pl.DataFrame) -> dg.MetadataValue:
    """The first rows of a frame as a Markdown table."""
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_rows=_TABLE_ROWS,
        fmt_str_lengths=200,
        tbl_width_chars=2000,
    ):
        return dg.MetadataValue.md(str(frame.head(_TABLE_ROWS)))
