"""Rate cards and supplier decks, flattened: which row prices a number on a day and in a band."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.rating.exact import WHOLE, to_whole, wholes
from billing_pipeline.rating.local_time import days_since
from billing_pipeline.rating.prefixes import PrefixIndex, prefix_index
from billing_pipeline.rating.terms import Terms, ladder_of, rounding_number, terms_of
from billing_pipeline.rating.time_bands import ANY_TIME, Bands, time_bands


@dataclass(frozen=True)
class FlattenedCard:
    """One card: its rows, their names and terms, and an index per version and band.

    A version is a span of local days between two dates on which any row begins or ends; version
    n holds once n of `version_starts` have begun, version 0 has no index. `is_split` says whether
    a call over several bands is priced band by band.
    """

    key: str
    rows: pl.DataFrame
    named: pl.DataFrame
    terms: Terms
    version_starts: pl.Series
    bands: Bands | None
    is_split: bool
    time_zone: str
    indexes: Mapping[tuple[object, ...], PrefixIndex]

    def row_of(self, events: pl.DataFrame, span_starts: pl.Series | None = None) -> pl.Series:
        """Row that prices each event, null where no prefix of the version and band matches.

        Shape: row by row. `events` has `number`, the key of its destination, and `local_start`,
        the tenant's wall clock as it began, which tells the version; the band is that of
        `span_starts`, the wall clock as a later span of it begins.
        """
        numbers, began = events.get_column("number"), events.get_column("local_start")
        local = began if span_starts is None else span_starts
        begun = days_since(self.version_starts, began)
        if isinstance(begun, int) and self.bands is None:
            return _longest(self.indexes.get((begun, ANY_TIME)), numbers)
        keyed = numbers.to_frame("number").with_columns(
            begun=begun if isinstance(begun, pl.Series) else pl.lit(begun),
            band=pl.lit(ANY_TIME) if self.bands is None else self.bands.at(local),
            position=pl.int_range(pl.len(), dtype=pl.UInt32),
        )
        found = [
            part.select("position", row=_longest(self.indexes.get(group), part["number"]))
            for group, part in keyed.partition_by(
                "begun", "band", as_dict=True, include_key=False, maintain_order=True
            ).items()
        ]
        return pl.concat(found).sort("position").get_column("row") if found else _no_rows(0)


def _longest(index: PrefixIndex | None, numbers: pl.Series) -> pl.Series:
    return _no_rows(numbers.len()) if index is None else index.longest(numbers)


def _no_rows(height: int) -> pl.Series:
    return pl.repeat(None, height, dtype=pl.UInt32, eager=True).alias("row")


def flattened_card(card: RateCard, rate_card_prices: pl.DataFrame, time_zone: str) -> FlattenedCard:
    """Flatten one card's rows of RATE_CARD_PRICES; `time_zone` is the tenant's.

    A band's price of a prefix goes before its any-time price; the longest prefix that has a
    price for the moment goes before both.
    """
    rows = (
        rate_card_prices.filter(card_key=card.key)
        .sort("valid_from", "prefix", "band")
        .with_row_index("row")
    )
    starts = _version_starts(rows)
    return FlattenedCard(
        key=card.key,
        rows=rows,
        named=rows.select(
            rate_name="name",
            rate_prefix="prefix",
            rate_band=pl.when(pl.col("band") != ANY_TIME).then("band"),
            rate_valid_from="valid_from",
        ),
        terms=terms_of(_terms_table(card, rows), tuple(filter(None, [ladder_of(card)]))),
        version_starts=pl.Series("version", starts, dtype=pl.Date),
        bands=time_bands(card.bands, card.holidays) if card.bands else None,
        is_split=card.charged_by == "split" and bool(card.bands),
        time_zone=time_zone,
        indexes=dict(_indexes(rows, starts, [ANY_TIME, *(band.key for band in card.bands)])),
    )


def _version_starts(rows: pl.DataFrame) -> list[dt.date]:
    bounds = rows["valid_from"].append(rows["valid_until"].drop_nulls())
    return bounds.unique().sort().to_list()


def _indexes(
    rows: pl.DataFrame, starts: list[dt.date], bands: list[str]
) -> Iterator[tuple[tuple[object, ...], PrefixIndex]]:
    for version, day in enumerate(starts, 1):
        in_force = rows.filter(
            pl.col("valid_from") <= day,
            pl.col("valid_until").is_null() | (pl.col("valid_until") > day),
        )
        for band in bands:
            # The empty band sorts before every other, so the last row of a prefix is the band's.
            fitting = (
                in_force.filter(pl.col("band").is_in([ANY_TIME, band]))
                .sort("prefix", "band")
                .unique("prefix", keep="last", maintain_order=True)
            )
            yield (version, band), prefix_index(fitting["prefix"], fitting["row"])


def _terms_table(card: RateCard, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        unit_price=wholes(pl.col("unit_price")),
        pricing_unit=pl.lit(to_whole(card.pricing_unit), dtype=WHOLE),
        connection_fee=wholes(pl.col("connection_fee")),
        free_initial=pl.lit(to_whole(card.free_initial), dtype=WHOLE),
        minimum=wholes(pl.col("minimum_units")),
        increment=wholes(pl.col("increment_units")),
        rounding=pl.lit(rounding_number(card), dtype=WHOLE),
        ladder=pl.lit(1 if card.counted_as else 0, dtype=WHOLE),
    )
