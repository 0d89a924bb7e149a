"""Identifiers used but not assigned, and assigned but not used: revenue lost, or paid for idly."""

import datetime as dt

import polars as pl

from billing_pipeline.mediation.schema import IDENTIFIER_GAPS
from billing_pipeline.vocabulary.identifier_keys import bounds_of, prefix_key, range_key
from billing_pipeline.vocabulary.key_intervals import key_intervals
from billing_pipeline.vocabulary.outcome import SuspenseReason

NO_OWNER = tuple(
    reason.value
    for reason in (
        SuspenseReason.UNKNOWN_IDENTIFIER,
        SuspenseReason.UNASSIGNED_IDENTIFIER,
        SuspenseReason.OUTSIDE_SUBSCRIPTION,
    )
)
"""Reasons that say: somebody uses this and nobody pays for it."""


def identifier_gaps(
    identifiers: pl.DataFrame,
    usage: pl.LazyFrame,
    suspense: pl.LazyFrame,
    span: tuple[dt.datetime, dt.datetime],
) -> pl.DataFrame:
    """IDENTIFIER_GAPS of the instants in `span`, by finding and identifier.

    `identifiers` is SERVICE_IDENTIFIERS with `tenant_key`, `usage` USAGE_EVENTS, `suspense`
    SUSPENSE. A range is used if any of its numbers is.
    """
    since, until = span
    is_inside = (pl.col("started_at") >= since) & (pl.col("started_at") < until)
    nobodys = _counted(
        suspense.filter(is_inside, pl.col("reason").is_in(NO_OWNER)), "service_identifier"
    )
    used = _counted(usage.filter(is_inside), "service_identifier", "tenant_key", "subscription_key")
    return IDENTIFIER_GAPS.conform(
        pl.concat(
            [_used_not_assigned(nobodys, identifiers), _assigned_not_used(used, identifiers, span)]
        ).sort("finding", "identifier", "tenant_key", descending=[True, False, False])
    )


def _counted(rows: pl.LazyFrame, *keys: str) -> pl.DataFrame:
    return (
        rows.group_by(keys)
        .agg(
            records=pl.len().cast(pl.Int64),
            first_at=pl.col("started_at").min(),
            last_at=pl.col("started_at").max(),
        )
        .filter(pl.col("service_identifier").is_not_null())
        .collect(engine="streaming")
        .sort(keys)
    )


def _used_not_assigned(nobodys: pl.DataFrame, identifiers: pl.DataFrame) -> pl.DataFrame:
    """What is used without owner, with its state at the last use, where the inventory has it."""
    held = identifiers.with_row_index("at")
    found = (
        _rows_of(nobodys, held)
        .join(nobodys.with_row_index("use"), on="use", how="left")
        .join(held, on="at", how="left")
        .filter(
            pl.col("valid_from") <= pl.col("last_at"),
            (pl.col("last_at") < pl.col("valid_until")).fill_null(value=True),
        )
        # As the guide has it: itself, then the range that begins last, then the longest prefix.
        .sort("use", pl.col("match").replace(_RANK), pl.col("identifier"), descending=_INNERMOST)
        .unique("use", keep="first", maintain_order=True)
    )
    return (
        nobodys.with_row_index("use")
        .join(found.select("use", "tenant_key", "status"), on="use", how="left", validate="1:1")
        .select(
            pl.lit("used_not_assigned").alias("finding"),
            "tenant_key",
            pl.col("service_identifier").alias("identifier"),
            "status",
            pl.lit(None, pl.String).alias("subscription_key"),
            "records",
            "first_at",
            "last_at",
        )
    )


def _assigned_not_used(
    used: pl.DataFrame, identifiers: pl.DataFrame, span: tuple[dt.datetime, dt.datetime]
) -> pl.DataFrame:
    since, until = span
    assigned = identifiers.filter(
        pl.col("status") == "assigned",
        pl.col("valid_from") < until,
        (pl.col("valid_until") > since).fill_null(value=True),
    ).with_row_index("at")
    in_use = (
        _rows_of(used, assigned)
        .join(used.with_row_index("use"), on="use", how="left")
        .join(assigned, on=["at", "tenant_key", "subscription_key"], how="inner")
        .filter(
            pl.col("valid_from") <= pl.col("last_at"),
            (pl.col("first_at") < pl.col("valid_until")).fill_null(value=True),
        )
    )
    return assigned.filter(~pl.col("at").is_in(in_use["at"].implode())).select(
        pl.lit("assigned_not_used").alias("finding"),
        "tenant_key",
        "identifier",
        "status",
        "subscription_key",
        pl.lit(0, pl.Int64).alias("records"),
        *(pl.lit(None, IDENTIFIER_GAPS.columns[name].dtype).alias(name) for name in _INSTANTS),
    )


_INSTANTS = ("first_at", "last_at")
_RANK = {"exact": "0", "range": "1", "prefix": "2"}
_INNERMOST = [False, False, True]


def _rows_of(used: pl.DataFrame, identifiers: pl.DataFrame) -> pl.DataFrame:
    """Pairs of `use` (row of `used`) and `at` of the identifiers that take it in."""
    uses = used.select("service_identifier").with_row_index("use")
    exact = identifiers.filter(pl.col("match") == "exact").select("at", "identifier")
    same = uses.join(exact, left_on="service_identifier", right_on="identifier", how="inner")
    first, end = bounds_of(identifiers["identifier"], identifiers["match"])
    patterns = identifiers.select("at", first=first, end=end).drop_nulls("first")
    intervals = key_intervals(patterns["at"], patterns["first"], patterns["end"])
    name = pl.col("service_identifier")
    places = pl.concat(
        uses.select("use", piece=intervals.piece_of(uses.select(key).to_series()))
        for key in (range_key(name), prefix_key(name))
    )
    covered = places.join(intervals.covers, on="piece", how="inner").select("use", at="row")
    return pl.concat([same.select("use", "at"), covered])
