"""The stage on one screen: one day of raw usage to usage events with an owner."""

from collections.abc import Collection

import polars as pl

from billing_pipeline.mediation.correlate import assembled, without_reversed
from billing_pipeline.mediation.deduplicate import in_order, repeated_records, without_repeated
from billing_pipeline.mediation.guide import guided
from billing_pipeline.mediation.schema import RAW_USAGE, SET_ASIDE, SUSPENSE, USAGE_EVENTS
from billing_pipeline.vocabulary.outcome import Outcome, assert_conserved

STAGE = "mediate"


def mediate(
    raw_usage: pl.DataFrame, guide: pl.DataFrame, *, released: Collection[str] = ()
) -> Outcome:
    """Find duplicates and conflicts, what belongs together, then the owner of every event.

    `raw_usage` is RAW_USAGE that belongs to one usage day, all feeds of one company; `guide` is
    GUIDE; `released` are the feeds whose incomplete sessions count as far as they have come.
    accepted: USAGE_EVENTS; suspended: SUSPENSE; duplicates and filtered (reversed, parts of
    sessions): SET_ASIDE. The result does not
    depend on the order of rows.
    Raises: NotConserved, OverlappingOwners.
    """
    given = in_order(RAW_USAGE.conform(raw_usage))
    repeats = repeated_records(given)
    repeated = given[repeats["at"]].hstack(repeats)
    standing = without_reversed(without_repeated(given, repeats))
    sessions = assembled(standing.events, released)
    owned, unowned = _by_owner(guided(sessions.events, guide))
    conflicts = repeated.filter(pl.col("reason").is_not_null())
    waiting = [conflicts, standing.suspended, sessions.suspended, unowned]
    duplicates = repeated.filter(pl.col("aside").is_not_null())
    outcome = Outcome(
        accepted=USAGE_EVENTS.conform(owned),
        suspended=pl.concat([_suspended(rows) for rows in waiting]),
        duplicates=_set_aside(duplicates.with_columns(reason=pl.col("aside"))),
        filtered=pl.concat([_set_aside(standing.aside), _set_aside(sessions.aside)]),
    )
    assert_conserved(STAGE, given, outcome, "quantity")
    return outcome


def _by_owner(guided_events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events that have an owner, in the columns handed on, and those that have none."""
    has_owner = guided_events["reason"].is_null()
    owned = guided_events.select(USAGE_EVENTS.names)
    if has_owner.all():
        return owned, guided_events.clear()
    return owned.filter(has_owner), guided_events.filter(~has_owner)


def _suspended(rows: pl.DataFrame) -> pl.DataFrame:
    has_owner = "tenant_key" in rows.columns
    # Columns of different chunks, some empty after a filter, are more than `format` bears.
    shown = rows.rechunk().select(
        (pl.col("tenant_key") if has_owner else pl.lit(None, pl.String)).alias("tenant_key"),
        "feed_key",
        "file_key",
        "record_number",
        pl.lit(STAGE).alias("stage"),
        "reason",
        pl.format(
            "identifier {} at {}",
            "service_identifier",
            pl.col("started_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        ).alias("detail"),
        pl.lit(None, pl.String).alias("raw"),
        "service_identifier",
        "started_at",
        "quantity",
    )
    return SUSPENSE.conform(shown)


def _set_aside(rows: pl.DataFrame) -> pl.DataFrame:
    shown = rows.select(
        pl.lit(None, pl.String).alias("tenant_key"),
        "feed_key",
        "file_key",
        "record_number",
        pl.lit(STAGE).alias("stage"),
        "reason",
        "started_at",
        "quantity",
    )
    return SET_ASIDE.conform(shown)
