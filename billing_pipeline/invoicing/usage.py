"""The rated usage behind a document: which events, and their totals for people."""

import polars as pl

from billing_pipeline.invoicing.document import DailyUsage, UsageTotal

MOST_TOTALS = 12
"""Destinations that are listed; the rest is summed into one."""

_ORDER = ["account_key", "subscription_key", "started_at", "file_key", "record_number"]


def usage_behind(lines: pl.DataFrame, rated_usage: pl.LazyFrame, time_zone: str) -> pl.DataFrame:
    """Rated usage of the usage lines on documents, with the `invoice_key` that shows it.

    An event belongs to the line of its subscription and price whose service days hold the
    event's local day. Lines that correct an earlier document list nothing again.
    Shape: one row per event, RATED_USAGE columns and `invoice_key`, in printing order.
    """
    first_postings = (
        lines.lazy()
        .filter((pl.col("charge_kind") == "usage") & (pl.col("posting_number") == 1))
        .select("invoice_key", "subscription_key", "price_key", "service_from", "service_until")
        .unique()
    )
    local_day = pl.col("started_at").dt.convert_time_zone(time_zone).dt.date()
    return (
        rated_usage.with_columns(local_day=local_day)
        .join(first_postings, on=["subscription_key", "price_key"], how="inner")
        .filter(
            (pl.col("service_from") <= pl.col("local_day"))
            & (pl.col("local_day") < pl.col("service_until"))
        )
        .drop("local_day", "service_from", "service_until")
        .sort("invoice_key", *_ORDER)
        .collect()
    )


def usage_totals(itemisation: pl.DataFrame) -> tuple[UsageTotal, ...]:
    """Usage by destination or rate name, dearest first, the long tail in one row labelled "".

    Amounts are unrounded sums of what each event cost.
    """
    if itemisation.is_empty():
        return ()
    totals = (
        itemisation.group_by(label=pl.coalesce("rate_name", "usage_type"))
        .agg(
            events=pl.len(), billable_units=pl.col("billable_units").sum(), amount=pl.sum("amount")
        )
        .sort(["amount", "events", "label"], descending=[True, True, False])
    )
    if totals.height > MOST_TOTALS:
        tail = totals.slice(MOST_TOTALS - 1).select(
            pl.lit("").alias("label"), pl.exclude("label").sum()
        )
        totals = pl.concat([totals.head(MOST_TOTALS - 1), tail], how="vertical_relaxed")
    return tuple(
        UsageTotal(*row)
        for row in zip(
            totals["label"].to_list(),
            totals["events"].to_list(),
            totals["billable_units"].to_list(),
            totals["amount"].to_list(),
            strict=True,
        )
    )


def usage_by_day(itemisation: pl.DataFrame, time_zone: str) -> tuple[DailyUsage, ...]:
    """Events and amount per local day, days without usage left out."""
    if itemisation.is_empty():
        return ()
    local_day = pl.col("started_at").dt.convert_time_zone(time_zone).dt.date()
    days = (
        itemisation.group_by(day=local_day)
        .agg(events=pl.len(), amount=pl.sum("amount"))
        .sort("day")
    )
    return tuple(
        DailyUsage(*row)
        for row in zip(
            days["day"].to_list(), days["events"].to_list(), days["amount"].to_list(), strict=True
        )
    )
