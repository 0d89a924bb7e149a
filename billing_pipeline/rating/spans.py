"""Calls over several time bands, priced band by band.

Each span is rounded up to the increment of its band's price; what that is too much is eaten from
the head of the next span. The minimum and the connection fee are those of the first span. The
prices are those in force as the call began, however long it goes on. Only time is split: events
measured in seconds.

Worked example: peak 0.12 a minute until 19:00, off-peak 0.06, both 60/60. A call of 100 s from
18:59:30 has 30 s in the peak, billed as 60 = 0.12; 40 s are left, billed as 60 = 0.06.
"""

from collections.abc import Iterator

import polars as pl

from billing_pipeline.rating.cards import FlattenedCard
from billing_pipeline.rating.exact import (
    ONE,
    WHOLE,
    decimals,
    multiple_at_least,
    rounded_quotient,
    too_large_to_multiply,
)
from billing_pipeline.rating.increments import after_free_units, raised_to_minimum
from billing_pipeline.rating.local_time import offset_changes, wall_clock
from billing_pipeline.rating.terms import NO_INCREMENT, SECONDS, TERMS, priced_by
from billing_pipeline.rating.time_bands import Bands
from billing_pipeline.vocabulary.money import plain_text
from billing_pipeline.vocabulary.outcome import SuspenseReason

MOST_SPANS = 400
"""An event over more spans has no plausible duration."""

_WHOLE_PER_MICROSECOND = 10_000
_FAR = 2**62


def priced_by_card(events: pl.DataFrame, card: FlattenedCard) -> pl.DataFrame:
    """Price events by the rows of a card, split over its bands where the card says so.

    Shape: row by row: billable_units, amount, reason, unit_price, connection_fee, spans and the
    names of the row, of the first span's row where there are several. `events` has `number`,
    `local_start`, `started_at`, `quantity` and `unit`.
    """
    rows = card.row_of(events)
    priced = priced_by(events, card.terms, rows).hstack(card.named.select(pl.all().gather(rows)))
    whole = priced.with_columns(spans=pl.lit(None, dtype=pl.String))
    if not card.is_split or card.bands is None or events.is_empty():
        return whole
    changes = _changes(events, card.time_zone)
    room = _room(card.bands, events.get_column("local_start"), changes)
    crosses = (
        events.with_columns(at="started_at")
        # Of a call wholly within its free units no span is left to split.
        .select((pl.col("unit") == SECONDS) & (_magnitude() > room) & (_magnitude() > _free(card)))
        .to_series()
    )
    if not crosses.any():
        return whole
    numbered = whole.with_row_index("event")
    split = _split(events.with_row_index("event").filter(crosses), card)
    return (
        pl.concat([numbered.filter(~crosses), split.select(numbered.columns)])
        .sort("event")
        .drop("event")
    )


def _magnitude() -> pl.Expr:
    return pl.col("quantity").to_physical().cast(WHOLE).abs()


def _split(events: pl.DataFrame, card: FlattenedCard) -> pl.DataFrame:
    spans = pl.concat(list(_spans(events, card)))
    table = _term_columns(card)
    rows = spans.get_column("row")
    detailed = spans.hstack(table.select(pl.all().gather(rows)))
    too_large = too_large_to_multiply(detailed, pl.col("units"), pl.col("unit_price") * MOST_SPANS)
    fits = pl.lit(value=True) if too_large is None else ~pl.lit(too_large)
    priced = detailed.with_columns(
        fits=fits,
        product=pl.when(fits).then(pl.col("units") * pl.col("unit_price")),
        text=pl.format(
            "{} {} s at {}",
            pl.when(pl.col("band") == "").then(pl.lit("other")).otherwise("band"),
            plain_text(decimals(pl.col("units"))),
            plain_text(decimals(pl.col("unit_price"))),
        ),
    )
    return _summed(events, priced, card)


def _spans(events: pl.DataFrame, card: FlattenedCard) -> Iterator[pl.DataFrame]:
    """Spans in order, one of every event still talking at a time: event, row, band, units."""
    if card.bands is None:
        return
    table = _term_columns(card)
    free = _free(card)
    state = events.select(
        "event",
        "number",
        "local_start",
        at="started_at",
        left=after_free_units(_magnitude(), free),
    ).with_columns(at=_later(free))
    changes = _changes(events, card.time_zone)
    for count in range(MOST_SPANS):
        state = state.filter(pl.col("left") > 0)
        if state.is_empty():
            return
        local = wall_clock(state.get_column("at"), card.time_zone)
        rows = card.row_of(state, local)
        taken = pl.min_horizontal("left", _room(card.bands, local, changes))
        minimum = pl.col("minimum") if count == 0 else pl.lit(0, dtype=WHOLE)
        span = (
            state.hstack(table.select("minimum", "increment").select(pl.all().gather(rows)))
            .with_columns(taken=taken)
            .with_columns(
                row=pl.lit(rows),
                band=pl.lit(card.bands.at(local)),
                units=multiple_at_least(
                    raised_to_minimum(pl.col("taken"), minimum), pl.col("increment")
                ),
            )
        )
        yield span.select("event", "row", "band", "units", goes_on=pl.lit(value=False))
        state = span.filter(pl.col("row").is_not_null()).select(
            "event",
            "number",
            "local_start",
            at=_later(pl.col("units")),
            left=pl.col("left") - pl.col("units"),
        )
    yield state.filter(pl.col("left") > 0).select(
        "event",
        row=pl.lit(None, dtype=pl.UInt32),
        band=pl.lit(""),
        units=pl.lit(None, dtype=WHOLE),
        goes_on=pl.lit(value=True),
    )


def _term_columns(card: FlattenedCard) -> pl.DataFrame:
    terms = card.terms
    rows = pl.DataFrame({"row": pl.int_range(card.rows.height, eager=True)}).hstack(terms.varying)
    listed = rows.with_columns(terms[name].cast(WHOLE).alias(name) for name in TERMS)
    step = pl.col("increment")
    return listed.select(TERMS).with_columns(
        pl.when(step == NO_INCREMENT)
        .then(pl.lit(ONE, dtype=WHOLE))
        .otherwise(step)
        .alias("increment")
    )


def _free(card: FlattenedCard) -> pl.Expr:
    """Free units at the beginning of every call: a card has one number of them."""
    rows = _term_columns(card).get_column("free_initial")
    return pl.lit(0 if rows.is_empty() else rows.max(), dtype=WHOLE)


def _later(units: pl.Expr) -> pl.Expr:
    return pl.col("at") + pl.duration(microseconds=(units // _WHOLE_PER_MICROSECOND).cast(pl.Int64))


def _changes(events: pl.DataFrame, time_zone: str) -> pl.Series:
    """Instants on which clocks change while any of the events goes on."""
    bounds = events.select(
        first=pl.col("started_at").min(),
        last=(
            pl.col("started_at")
            + pl.duration(
                microseconds=(_magnitude() // _WHOLE_PER_MICROSECOND)
                .clip(upper_bound=_LONGEST)
                .cast(pl.Int64)
            )
        ).max(),
    )
    first, last = bounds.row(0)
    return offset_changes(first, last, time_zone)


_LONGEST = 400 * 86_400 * 1_000_000
"""Clocks are looked at no further than this many microseconds after the last event began."""


def _room(bands: Bands, local: pl.Series, changes: pl.Series) -> pl.Expr:
    """Units from `at`, whose wall clock is `local`, to the end of its span."""
    room = pl.min_horizontal(pl.lit(bands.microseconds_left(local)), _until(changes))
    return room.cast(WHOLE) * _WHOLE_PER_MICROSECOND


def _until(changes: pl.Series) -> pl.Expr:
    """Microseconds from `at` to the next change of clocks, or very many."""
    if changes.is_empty():
        return pl.lit(_FAR)
    following = pl.lit(changes).gather(
        pl.lit(changes).search_sorted(pl.col("at"), side="right"), null_on_oob=True
    )
    return (following - pl.col("at")).dt.total_microseconds().fill_null(_FAR)


def _summed(events: pl.DataFrame, spans: pl.DataFrame, card: FlattenedCard) -> pl.DataFrame:
    """One row per event again: what its spans come to, rounded once."""
    by_event = spans.group_by("event", maintain_order=True).agg(
        pl.col("units").sum(),
        pl.col("product").sum(),
        first=pl.col("row").first(),
        is_priced=pl.col("product").is_not_null().all() & pl.col("row").is_not_null().all(),
        too_long=pl.col("goes_on").any() | ~pl.col("fits").all(),
        pricing_unit=pl.col("pricing_unit").first(),
        fee=pl.col("connection_fee").first(),
        price=pl.col("unit_price").first(),
        prices=pl.col("unit_price").n_unique(),
        spans=pl.col("text").str.join("; "),
    )  # fmt: skip
    answered = events.select("event", sign=pl.col("quantity").to_physical().sign()).join(
        by_event, on="event", how="left", validate="1:1", maintain_order="left"
    )
    amount = rounded_quotient(pl.col("product"), pl.col("pricing_unit")) + pl.col("fee")
    priced = answered.select(
        "event",
        billable_units=decimals(pl.col("units").fill_null(0) * pl.col("sign")),
        amount=decimals(pl.when("is_priced").then(amount * pl.col("sign"))),
        reason=pl.when("too_long").then(pl.lit(SuspenseReason.IMPLAUSIBLE_QUANTITY.value)),
        unit_price=decimals(pl.when(pl.col("prices") == 1).then("price")),
        connection_fee=decimals(pl.when(pl.col("fee") != 0).then(pl.col("fee") * pl.col("sign"))),
        spans=pl.col("spans"),
    )
    first = answered.get_column("first")
    return priced.hstack(card.named.select(pl.all().gather(first))).hstack(
        card.terms.shown.select(pl.col("increments").gather(first))
    )
