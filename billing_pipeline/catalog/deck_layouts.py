"""How a deck's file is laid out, and the layouts in which decks are known to come.

A layout says how the table is cut (`FileLayout`) and what its columns mean (`DeckLayout`). One
that is not here is a YAML file with the same words. Columns are named as the sources name them.
"""

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl
from pydantic import Field

from billing_pipeline.catalog.decks import DeckLayout
from billing_pipeline.vocabulary.configuration import Configuration
from billing_pipeline.vocabulary.problems import ROW

PRICE, BAND, SINCE, FEE = "(price)", "(band)", "(since)", "(fee)"
"""Columns that a row is given where it states several prices."""

FIRST_DAY = "(first day)"
"""Column with the day that the text before the table names."""


class CodeColumns(Configuration):
    """The columns of a second file that says which prefixes a code or name of the deck has."""

    code: str = "code"
    prefix: str = "prefix"


class FileLayout(DeckLayout):
    """A deck's file: its table and the meaning of its columns.

    A row may state a price per band in columns of its own (`band_prices`: band -> column), and
    the price that follows with its date (`next_price`, `next_valid_from`). A deck that names
    destinations by a code or in words, in the column `prefix`, comes with a file of `codes`.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    header_row: int | None = Field(
        default=1, ge=1, description="row of the column names; what stands before is text"
    )
    header_at: str | None = Field(
        default=None, description="first cell of the row of column names; instead of header_row"
    )
    first_day_after: str | None = Field(
        default=None, description=f"words before the table's day, taken as column {FIRST_DAY!r}"
    )
    columns: list[str] = Field(default=[], description="names of the columns of a file without any")
    ends_at: str | None = Field(
        default=None, description="a row whose first cell begins so ends the table: a footer"
    )
    codes: CodeColumns | None = Field(
        default=None, description="columns of the file in which prefixes of codes are looked up"
    )
    continues: str | None = Field(
        default=None,
        description="second from which a row holds; past 0 it says the next increment of its code",
    )
    band_prices: dict[str, str] = {}
    band_fees: dict[str, str] = Field(default={}, description="band -> column of connection fees")
    next_price: str | None = None
    next_valid_from: str | None = None
    blocked_where: dict[str, str] = Field(
        default={}, description="column -> value of rows that block their destination"
    )
    removed_where: dict[str, str] = Field(
        default={}, description="column -> value of rows whose prefix has no price of its own more"
    )
    not_taken: dict[str, list[str]] = Field(
        default={}, description="column -> values beside 0 and none that need no remark"
    )
    must_equal: dict[str, str] = Field(
        default={}, description="column -> column that should say the same; a remark where not"
    )


def without_removed(cells: pl.DataFrame, layout: FileLayout) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that state prices, and those that take their prefix out of the deck."""
    tests = [
        pl.col(column).fill_null("").str.strip_chars().str.to_lowercase() == value.lower()
        for column, value in layout.removed_where.items()
        if column in cells.columns
    ]
    is_removed = pl.any_horizontal(tests) if tests else pl.lit(value=False)
    return cells.filter(~is_removed), cells.filter(is_removed)


def stated_prices(cells: pl.DataFrame, layout: FileLayout) -> tuple[pl.DataFrame, DeckLayout]:
    """One row per price of a table of texts, and the layout of these rows."""
    if not layout.band_prices and layout.unit_price not in cells.columns:
        return cells, layout
    price = pl.col(layout.unit_price) if layout.unit_price in cells.columns else pl.lit(None)
    for column, value in layout.blocked_where.items():
        if column in cells.columns:
            price = pl.when(pl.col(column) == value).then(pl.lit("")).otherwise(price)
    parts = [cells.with_columns(price.alias(PRICE))]
    changed: dict[str, object] = {"unit_price": PRICE}
    if layout.band_prices:
        bands = layout.band_prices.items()
        parts = [
            cells.with_columns(
                pl.col(column).alias(PRICE),
                pl.lit(band).alias(BAND),
                _fee(layout, band, cells).alias(FEE),
            )
            for band, column in bands
            if column in cells.columns
        ]
        changed |= {"band": BAND, "bands": {}}
        if layout.band_fees:
            changed["connection_fee"] = FEE
    if layout.next_price is not None and layout.next_valid_from is not None:
        since = pl.lit("") if layout.valid_from is None else pl.col(layout.valid_from)
        has_next = pl.col(layout.next_price).fill_null("").str.strip_chars() != ""
        parts = [
            *(part.with_columns(since.alias(SINCE)) for part in parts),
            *(
                part.filter(has_next).with_columns(
                    pl.col(layout.next_price).alias(PRICE),
                    pl.col(layout.next_valid_from).alias(SINCE),
                )
                for part in parts
            ),
        ]
        changed["valid_from"] = SINCE
    plain = {name: getattr(layout, name) for name in DeckLayout.model_fields}
    return pl.concat(parts).sort(ROW), DeckLayout.model_validate({**plain, **changed})


def _fee(layout: FileLayout, band: str, cells: pl.DataFrame) -> pl.Expr:
    column = layout.band_fees.get(band)
    return pl.col(column) if column in cells.columns else pl.lit("0")


_KNOWN: dict[str, dict[str, object]] = {
    "plain": {"prefix": "prefix", "name": "name", "unit_price": "unit_price"},
    "asterisell": {
        "prefix": "PREFIX", "name": "DESTINATION", "unit_price": "RATE", "decimal_mark": ",",
        "encoding": "latin-1",
    },
    "ivozprovider": {
        "prefix": "Prefix", "name": "Target Pattern Name", "unit_price": "Per minute",
        "connection_fee": "Connection charge", "increment_units": "Charge period",
    },
    "jbilling": {
        "header_row": None, "columns": ["call_type", "digits", "price", "grp"],
        "prefix": "digits", "name": "call_type", "unit_price": "price",
    },
    "npanxx": {"prefix": "NPANXX", "unit_price": "Rate", "country_code": "1"},
    "46labs": {
        "prefix": "code", "unit_price": "interrate", "minimum_units": "duration",
        "increment_units": "increment", "valid_from": "effective_date",
        "date_format": "%m/%d/%Y",
    },
    "46labs-intrastate": {
        "prefix": "code", "unit_price": "intrarate", "minimum_units": "duration",
        "increment_units": "increment", "valid_from": "effective_date",
        "date_format": "%m/%d/%Y",
    },
    "46labs-indeterminate": {
        "prefix": "code", "unit_price": "ijrate", "minimum_units": "duration",
        "increment_units": "increment", "valid_from": "effective_date",
        "date_format": "%m/%d/%Y",
    },
    "lrn": {
        "header_at": "LRN", "prefix": "LRN", "unit_price": "RATE", "country_code": "1",
        "first_day_after": "EFFECTIVE DATE:", "valid_from": FIRST_DAY,
    },
    "interconn": {
        "prefix": "traffic_direction", "name": "traffic_direction", "unit_price": "rate",
        "codes": {}, "band": "time_slot", "bands": {"flat": ""},
    },
    "gamma": {
        "prefix": "ChargeCode", "name": "Description", "unit_price": "Peak", "codes": {},
        "band_prices": {"peak": "Peak", "off_peak": "Off Peak", "weekend": "Weekend"},
        "band_fees": {"peak": "Peak Setup", "off_peak": "Off Peak Setup",
                      "weekend": "Weekend Setup"},
        "not_taken": {"Minimum Charge": []},
    },
    "cgrates": {
        "prefix": "#ID", "unit_price": "Rate", "connection_fee": "ConnectFee", "codes": {},
        "increment_units": "RateIncrement", "continues": "GroupIntervalStart",
        "not_taken": {"RateUnit": ["60s", "1m", "60"]},
    },
    "twilio": {
        "prefix": "Destination Prefixes", "name": "Description", "unit_price": "Price / min",
        "not_taken": {"Origination Prefixes": ["ALL"]},
    },
    "didww": {
        "prefix": "Prefix", "name": "Network", "unit_price": "Rate",
        "connection_fee": "Connection fee", "minimum_units": "Initial increment",
        "increment_units": "Recurring increment", "valid_from": "Effective at",
        "next_price": "Next rate", "next_valid_from": "Next effective at",
        "blocked_where": {"Reject": "true"},
    },
    "twt": {
        "prefix": "Code", "name": "Destinations", "unit_price": "Peak",
        "band_prices": {"peak": "Peak", "off_peak": "Off peak"}, "valid_from": "Effective",
        "date_format": "%d/%m/%Y", "delimiter": ";", "decimal_mark": ",",
        "removed_where": {"Comment": "delete"},
    },
    "kazoo": {
        "prefix": "prefix", "unit_price": "rate_cost", "connection_fee": "rate_surcharge",
        "minimum_units": "rate_minimum", "increment_units": "rate_increment",
        "not_taken": {"rate_nocharge_time": [], "direction": ["outbound"]},
    },
    "yeti": {
        "prefix": "prefix", "unit_price": "next_rate", "connection_fee": "connect_fee",
        "minimum_units": "initial_interval", "increment_units": "next_interval",
        "valid_from": "valid_from", "valid_until": "valid_till",
        "blocked_where": {"reject_calls": "true"},
        "not_taken": {"dst_number_min_length": [], "dst_number_max_length": ["100"]},
        "must_equal": {"initial_rate": "next_rate"},
    },
    "astpp": {
        "prefix": "Code", "name": "Destination", "unit_price": "Cost / Min (USD)",
        "connection_fee": "Connection Cost (USD)", "minimum_units": "Initial Increment",
        "increment_units": "Increment", "not_taken": {"Grace Time": []},
    },
    "freeside": {"prefix": "Prefix", "name": "Destination", "unit_price": "Rate"},
    "cdr-stats": {
        "header_row": None, "columns": ["prefix", "price"], "prefix": "prefix",
        "unit_price": "price",
    },
}  # fmt: skip

LAYOUTS: Mapping[str, FileLayout] = MappingProxyType(
    {name: FileLayout.model_validate(layout) for name, layout in _KNOWN.items()}
)
"""Layouts by the name of the system or supplier that writes them."""
