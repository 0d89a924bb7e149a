"""Guiding: whose event it is, by its identifier as of the instant it began."""

import polars as pl

from billing_pipeline.vocabulary.outcome import SuspenseReason

OWNER = ("tenant_key", "account_key", "subscription_key")


class OverlappingOwners(Exception):
    """Two subscriptions own one identifier at one instant; the guide must not allow it."""


def guided(events: pl.DataFrame, guide: pl.DataFrame) -> pl.DataFrame:
    """Events with `tenant_key`, `account_key`, `subscription_key` and `reason` of who has none.

    Shape: row by row, in the order given. The span that began last at or before the event is
    the owner, if it had not ended; so an identifier moved at noon splits at noon. An identifier
    that nobody ever had is unknown; an event outside every span or outside its subscription's
    service is outside_subscription.
    Raises: OverlappingOwners if spans of one identifier overlap.
    """
    _refuse_overlaps(guide)
    numbered = events.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64))
    found = numbered.sort("started_at", "at").join_asof(
        guide.sort("valid_from", "identifier").with_columns(spanned=pl.lit(value=True)),
        left_on="started_at",
        right_on="valid_from",
        by_left="service_identifier",
        by_right="identifier",
        strategy="backward",
        check_sortedness=False,  # both sides are sorted by the instant just above
    )
    started = pl.col("started_at")
    is_inside = (
        pl.col("spanned").is_not_null()
        & _before(started, pl.col("valid_until"))
        & (started >= pl.col("service_from"))
        & _before(started, pl.col("service_until"))
    ).fill_null(value=False)
    is_known = pl.col("service_identifier").is_in(guide["identifier"].unique().implode())
    judged = found.with_columns(
        reason=pl.when(~is_known)
        .then(pl.lit(SuspenseReason.UNKNOWN_IDENTIFIER.value))
        .when(~is_inside)
        .then(pl.lit(SuspenseReason.OUTSIDE_SUBSCRIPTION.value))
    )
    return judged.sort("at").select(*events.columns, *OWNER, "reason")


def _before(started: pl.Expr, until: pl.Expr) -> pl.Expr:
    return (started < until).fill_null(value=True)


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
