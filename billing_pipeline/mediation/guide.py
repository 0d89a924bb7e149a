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
    _refuse_overlaps(guide)
    found = _with_exact_row(events, guide)
    if (guide["match"] != "exact").any():
        found = _with_pattern_row(found, guide)
    judged = found.with_columns(reason=_reason())
    held = pl.col("reason").is_null()
    return judged.select(
        *events.columns, *(pl.when(held).then(pl.col(name)).alias(name) for name in OWNER), "reason"
    )


def _with_exact_row(events: pl.DataFrame, guide: pl.DataFrame) -> pl.DataFrame:
    """Owner, spans, `is_held` and `is_known` by the identifier itself."""
    exact = guide.filter(pl.col("match") == "exact")
    numbered = events.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64))
    found = numbered.sort("started_at", "at").join_asof(
        exact.sort("valid_from", "identifier")
        .with_columns(spanned=pl.lit(value=True))
        .drop("match"),
        left_on="started_at",
        right_on="valid_from",
        by_left="service_identifier",
        by_right="identifier",
        strategy="backward",
        check_sortedness=False,  # both sides are sorted by the instant just above
    )
    is_held = pl.col("spanned").fill_null(value=False) & _before("valid_until")
    is_known = pl.col("service_identifier").is_in(exact["identifier"].unique().implode())
    return found.sort("at").with_columns(is_held=is_held, is_known=is_known)


def _with_pattern_row(found: pl.DataFrame, guide: pl.DataFrame) -> pl.DataFrame:
    """Of the events no exact identifier holds, the same by range and prefix."""
    open_events = found.filter(~pl.col("is_held"))
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
    return pl.concat([found.filter(pl.col("is_held")), by_pattern]).sort("at")


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
