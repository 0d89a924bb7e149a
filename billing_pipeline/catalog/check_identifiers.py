"""Checks of service identifiers: owners, states, and prefixes and ranges that lie across others."""

import polars as pl

from billing_pipeline.catalog.overlaps import covered_pairs, is_together, pattern_pairs
from billing_pipeline.vocabulary.identifier_keys import bounds_of
from billing_pipeline.vocabulary.problems import ROW, Problem, problems_in

IDENTIFIERS_FILE = "service_identifiers.csv"

_MATCHES = ("exact", "prefix", "range")
_STATES = ("in_stock", "assigned", "ported_out", "quarantined")
_HELD_BACK = ("ported_out", "quarantined")


def check_service_identifiers(
    identifiers: pl.DataFrame, subscriptions: pl.DataFrame
) -> list[Problem]:
    """Everything that makes an event's owner doubtful, by row.

    Shape: SERVICE_IDENTIFIERS and SUBSCRIPTIONS with ROW.
    """
    return [
        *_owners(identifiers, subscriptions),
        *_spans(identifiers),
        *_texts(identifiers),
        *_owned_before(identifiers),
        *_overlaps_within(identifiers),
    ]


def overlaps(identifiers: pl.DataFrame, others: pl.DataFrame) -> list[Problem]:
    """Identifiers, prefixes and ranges at odds with those of `others`, by `identifiers`' rows.

    The column `place` of `others` says where each of them stands.
    """
    mine, theirs = _with_bounds(identifiers), _with_bounds(others)
    twice = mine.join(theirs, on="identifier", suffix="_other").filter(is_together()).sort(ROW)
    return _problems([twice.select(ROW, message=_claimed()), *_covered(mine, theirs)])


def _overlaps_within(identifiers: pl.DataFrame) -> list[Problem]:
    """Prefixes and ranges of one file at odds with each other."""
    bounded = _with_bounds(identifiers)
    return _problems(_covered(bounded, bounded))


def _covered(mine: pl.DataFrame, theirs: pl.DataFrame) -> list[pl.DataFrame]:
    held_back = covered_pairs(mine, theirs).filter(
        pl.col("status") == "assigned", pl.col("status_other").is_in(_HELD_BACK)
    )
    return [
        pattern_pairs(mine, theirs).select(ROW, message=_unclear()),
        held_back.select(ROW, message=_withheld()),
    ]


def _problems(found: list[pl.DataFrame]) -> list[Problem]:
    message = pl.col("message")
    return problems_in(
        pl.concat(found), IDENTIFIERS_FILE, "identifier", message.is_not_null(), message
    )


def _claimed() -> pl.Expr:
    return pl.format(
        "is {} by a row of {} at the same time; end one of both with valid_until",
        "status_other",
        "place_other",
    )


def _unclear() -> pl.Expr:
    other, place, relation = "identifier_other", "place_other", pl.col("relation")
    return (
        pl.when(relation == "same")
        .then(pl.format("covers the same as {} of {} at the same time", other, place))
        .when(relation == "crossing")
        .then(
            pl.format(
                "overlaps {} of {}, and neither lies inside the other; divide one of them",
                other,
                place,
            )
        )
        .when(relation == "around")
        .then(
            pl.format(
                "has the prefix {} of {} inside it; have that written as a range too, so that the"
                " narrower one is plain",
                other,
                place,
            )
        )
        .otherwise(
            pl.format(
                "lies inside the range {} of {}; write it as a range too, so that the narrower"
                " one is plain",
                other,
                place,
            )
        )
    )


def _withheld() -> pl.Expr:
    return pl.format(
        "is assigned, but {} of {} has it {} at the same time; end that row first",
        "identifier_other",
        "place_other",
        "status_other",
    )


def _with_bounds(identifiers: pl.DataFrame) -> pl.DataFrame:
    first, end = bounds_of(identifiers["identifier"], identifiers["match"])
    named = identifiers.with_columns(first=first, end=end)
    if "place" in named.columns:
        return named
    return named.with_columns(place=pl.format("row {}", pl.col(ROW)))


def _owners(identifiers: pl.DataFrame, subscriptions: pl.DataFrame) -> list[Problem]:
    owner, status = pl.col("subscription_key"), pl.col("status")
    keys = subscriptions["subscription_key"]
    rules = (
        (
            "subscription_key",
            ~owner.is_in(keys.implode()),
            pl.format("no subscription '{}'; add it or correct the key", owner),
        ),
        (
            "subscription_key",
            (status == "assigned") & owner.is_null(),
            pl.lit("is empty; every assigned identifier needs one, or a status such as in_stock"),
        ),
        (
            "subscription_key",
            (status != "assigned") & owner.is_not_null(),
            pl.format("is {}, so nobody owns it; leave the subscription empty", status),
        ),
        ("status", ~status.is_in(_STATES), _none_of(status, _STATES)),
        ("match", ~pl.col("match").is_in(_MATCHES), _none_of(pl.col("match"), _MATCHES)),
    )
    return _broken(identifiers, rules)


def _none_of(given: pl.Expr, words: tuple[str, ...]) -> pl.Expr:
    return pl.format("'{}' is none of {}", given, pl.lit(", ".join(words)))


def _spans(identifiers: pl.DataFrame) -> list[Problem]:
    start, until = pl.col("valid_from"), pl.col("valid_until")
    rules = (
        (
            "valid_until",
            until <= start,
            pl.lit("must be after valid_from; it is the first day, or instant, no longer covered"),
        ),
        (
            "valid_from",
            start.is_null() & pl.col("subscription_key").is_null(),
            pl.lit("is empty; without a subscription the row itself must say since when"),
        ),
    )
    return _broken(identifiers, rules)


def _texts(identifiers: pl.DataFrame) -> list[Problem]:
    first, _ = bounds_of(identifiers["identifier"], identifiers["match"])
    given = identifiers.with_columns(first=first)
    rules = (
        (
            "identifier",
            pl.col("identifier").str.starts_with("+"),
            pl.lit("starts with +; write the digits only, as usage events carry them"),
        ),
        (
            "identifier",
            (pl.col("match") == "range") & pl.col("first").is_null(),
            pl.format(
                "'{}' is no range; write first-last in equal digits, as 18005550100-18005550199,"
                " or a network, as 10.0.0.0/24",
                "identifier",
            ),
        ),
    )
    return _broken(given, rules)


def _broken(frame: pl.DataFrame, rules: tuple[tuple[str, pl.Expr, pl.Expr], ...]) -> list[Problem]:
    return [
        problem
        for field, is_wrong, message in rules
        for problem in problems_in(frame, IDENTIFIERS_FILE, field, is_wrong, message)
    ]


def _owned_before(identifiers: pl.DataFrame) -> list[Problem]:
    """One identifier written twice for one instant: two owners, or a state and an owner."""
    until_before = pl.col("valid_until").shift(1)
    is_overlap = (pl.col("identifier").shift(1) == pl.col("identifier")) & (
        until_before.is_null() | (until_before > pl.col("valid_from"))
    )
    ordered = identifiers.sort("identifier", "valid_from", ROW).with_columns(
        row_before=pl.when(is_overlap).then(pl.col(ROW).shift(1)),
        status_before=pl.col("status").shift(1),
    )
    owned = pl.format("belongs to the subscription of row {}", "row_before")
    held = pl.format("is {} by row {}", "status_before", "row_before")
    return problems_in(
        ordered,
        IDENTIFIERS_FILE,
        "identifier",
        pl.col("row_before").is_not_null(),
        pl.format(
            "{} {} at the same time; end that row with valid_until",
            "identifier",
            pl.when(pl.col("status_before") == "assigned").then(owned).otherwise(held),
        ),
    )
