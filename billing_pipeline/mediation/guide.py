"""Guiding: whose event it is, by its identifier as of the instant it began."""

import polars as pl

from billing_pipeline.mediation.identifier_spans import identifier_spans
from billing_pipeline.vocabulary.outcome import SuspenseReason

OWNER = ("tenant_key", "account_key", "subscription_key")

_HELD = ("status", "valid_until", "service_from", "service_until")


class OverlappingOwners(Exception):
    """Two subscriptions own one identifier at one instant; the guide must not allow it."""


def guided(events: pl.DataFrame, guide: pl.DataFrame) -> pl.DataFrame:
    """Events with `tenant_key`, `account_key`, `subscription_key` and `reason` of who has none.

    Shape: row by row, in the order given. The identifier itself comes first, then the narrowest
    range, then the longest prefix, each as of the event: the span that began last at or before
    it is the owner, if it had not ended; so an identifier moved at noon splits at noon. An
    identifier that nobody ever had is unknown; one in stock, ported out or in quarantine is
    unassigned; an event outside every span or outside its subscription's service is
    outside_subscription.
    Raises: OverlappingOwners if spans of one identifier overlap.
    """
    repeated = guide.filter(pl.col("identifier").is_duplicated())
    _refuse_overlaps(repeated)
    asked = events.select("service_identifier", "started_at")
    found = _by_identifier(asked, guide.filter(pl.col("match") == "exact"))
    if (guide["match"] != "exact").any():
        found = _with_pattern_row(found, guide)
    held = found.with_columns(reason=_reason()).select(
        *(pl.when(pl.col("reason").is_null()).then(pl.col(name)).alias(name) for name in OWNER),
        "reason",
    )
    return events.hstack(held)


def _by_identifier(asked: pl.DataFrame, exact: pl.DataFrame) -> pl.DataFrame:
    """Owner, spans, `is_held` and `is_known` by the identifier itself, row by row.

    Nearly all identifiers have one owner ever; those are found by one join, without sorting.
    """
    is_moved = pl.col("identifier").is_duplicated()
    once, moved = exact.filter(~is_moved), exact.filter(is_moved)
    found = asked.join(
        once.select("identifier", *OWNER, "valid_from", *_HELD),
        left_on="service_identifier",
        right_on="identifier",
        how="left",
        validate="m:1",
        maintain_order="left",
    ).with_columns(is_known=pl.col("valid_from").is_not_null(), is_held=_is_held())
    return found if moved.is_empty() else _with_moved(found, moved)


def _with_moved(found: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Of the events of identifiers with several owners, the owner as of the instant."""
    numbered = found.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64))
    is_moved = pl.col("service_identifier").is_in(moved["identifier"].unique().implode())
    concerned = numbered.filter(is_moved)
    if concerned.is_empty():
        return found
    owned = (
        concerned.select("service_identifier", "started_at", "at")
        .sort("started_at", "at")
        .join_asof(
            moved.select("identifier", *OWNER, "valid_from", *_HELD)
            .sort("valid_from", "identifier")
            .with_columns(begun=pl.col("valid_from")),
            left_on="started_at",
            right_on="begun",
            by_left="service_identifier",
            by_right="identifier",
            strategy="backward",
            check_sortedness=False,  # both sides are sorted by the instant just above
        )
        .with_columns(is_known=pl.lit(value=True), is_held=_is_held())
    )
    rest = numbered.filter(~is_moved.fill_null(value=False))
    return pl.concat([rest, owned.select(numbered.columns)]).sort("at").drop("at")


def _is_held() -> pl.Expr:
    began = (pl.col("valid_from") <= pl.col("started_at")).fill_null(value=False)
    return began & _before("valid_until")


def _with_pattern_row(found: pl.DataFrame, guide: pl.DataFrame) -> pl.DataFrame:
    """Of the events no exact identifier holds, the same by range and prefix."""
    numbered = found.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64))
    open_events = numbered.filter(~pl.col("is_held"))
    if not open_events.height:
        return found
    rows = guide.with_row_index("row").filter(pl.col("match") != "exact")
    covered = identifier_spans(rows).rows_of(open_events)
    held = covered.join(
        rows.select("row", *OWNER, *_HELD),
        on="row",
        how="left",
        validate="m:1",
        maintain_order="left",
    )
    by_pattern = open_events.with_columns(
        *(held[name] for name in (*OWNER, *_HELD)),
        is_held=held["row"].is_not_null(),
        is_known=pl.col("is_known") | held["is_covered"],
    )
    return pl.concat([numbered.filter(pl.col("is_held")), by_pattern]).sort("at").drop("at")


def _reason() -> pl.Expr:
    started = pl.col("started_at")
    is_served = (started >= pl.col("service_from")) & _before("service_until")
    return (
        pl.when(~pl.col("is_known"))
        .then(pl.lit(SuspenseReason.UNKNOWN_IDENTIFIER.value))
        .when(pl.col("is_held") & (pl.col("status") != "assigned"))
        .then(pl.lit(SuspenseReason.UNASSIGNED_IDENTIFIER.value))
        .when(~(pl.col("is_held") & is_served.fill_null(value=False)))
        .then(pl.lit(SuspenseReason.OUTSIDE_SUBSCRIPTION.value))
    )


def _before(until: str) -> pl.Expr:
    return (pl.col("started_at") < pl.col(until)).fill_null(value=True)


def _refuse_overlaps(guide: pl.DataFrame) -> None:
    ordered = guide.sort("identifier", "valid_from")
    later = pl.col("valid_from").shift(-1).over("identifier")
    overlaps = ordered.filter(
        (later < pl.col("valid_until")).fill_null(
            pl.col("valid_until").is_null() & later.is_not_null()
        )
    )
    if overlaps.height:
        first = overlaps.row(0, named=True)
        raise OverlappingOwners(
            f"identifier {first['identifier']!r}: the span from {first['valid_from']} of"
            f" subscription {first['subscription_key']!r} overlaps the next one"
        )
