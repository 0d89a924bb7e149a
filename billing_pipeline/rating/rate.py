"""The rating stage: usage events to rated usage."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import polars as pl

from billing_pipeline.catalog.resolution import listed_plan
from billing_pipeline.mediation.schema import SET_ASIDE, SUSPENSE
from billing_pipeline.rating.local_time import wall_clock
from billing_pipeline.rating.price_book import EVENT_COLUMNS, PriceBook
from billing_pipeline.rating.priced import PRICED, completed
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.outcome import Outcome, SuspenseReason, assert_conserved

SLICE_ROWS = 500_000
"""Events priced at a time: bounds what rating needs beside its input and output."""

_WORKERS = pl.thread_pool_size()

_Rated = tuple[pl.DataFrame, pl.DataFrame]


def rate(events: pl.DataFrame, book: PriceBook) -> Outcome:
    """Price every usage event of one tenant; those without a price in force go to suspense.

    Shape: USAGE_EVENTS -> accepted RATED_USAGE, suspended SUSPENSE, in the order given.
    Raises: NotConserved, FrameMismatch.
    """
    outcomes = list(rate_in_slices(events, book))
    outcome = Outcome(
        accepted=pl.concat([RATED_USAGE.empty(), *(part.accepted for part in outcomes)]),
        suspended=pl.concat([SUSPENSE.empty(), *(part.suspended for part in outcomes)]),
        duplicates=SET_ASIDE.empty(),
        filtered=SET_ASIDE.empty(),
    )
    assert_conserved("rate", events, outcome, "quantity")
    return outcome


def rate_in_slices(events: pl.DataFrame, book: PriceBook) -> Iterator[Outcome]:
    """Price events slice by slice, for callers that write each slice as it comes.

    Shape: slices in the order given, each an Outcome of its own.
    Raises: NotConserved, FrameMismatch.
    """
    for part, (accepted, suspended) in _side_by_side(events, book):
        outcome = Outcome(
            accepted=RATED_USAGE.conform(accepted),
            suspended=SUSPENSE.conform(suspended),
            duplicates=SET_ASIDE.empty(),
            filtered=SET_ASIDE.empty(),
        )
        assert_conserved("rate", part, outcome, "quantity")
        yield outcome


def _side_by_side(events: pl.DataFrame, book: PriceBook) -> Iterator[tuple[pl.DataFrame, _Rated]]:
    """Rate one slice per core, at most one more than that ahead of the caller.

    Many steps of a slice are a single pass that Polars runs on one core.
    """
    waiting: deque[tuple[pl.DataFrame, Future[_Rated]]] = deque()
    with ThreadPoolExecutor(_WORKERS) as workers:
        for part in events.iter_slices(SLICE_ROWS):
            waiting.append((part, workers.submit(_rate_slice, part, book)))
            if len(waiting) > _WORKERS:
                done, rated = waiting.popleft()
                yield done, rated.result()
        for done, rated in waiting:
            yield done, rated.result()


def _rate_slice(events: pl.DataFrame, book: PriceBook) -> _Rated:
    guided = _with_price_codes(events.select("subscription_key", *EVENT_COLUMNS), book)
    judged = events.hstack(_priced_by_model(guided, book))
    has_reason = judged.get_column("reason").is_not_null()
    return (
        _accepted(judged.filter(~has_reason) if has_reason.any() else judged, book),
        _suspended(judged.filter(has_reason)),
    )


def _with_price_codes(events: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    """Events with their plan, the tenant's wall clock, and the price that takes them."""
    local = events.with_columns(
        wall_clock(events.get_column("started_at"), book.time_zone).alias("local_start")
    )
    planned = local.with_columns(plan_code=book.plans.of(local))
    return planned.with_columns(price_code=book.rules.price_of(planned))


def _priced_by_model(events: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    """PRICED columns and the price code of each event, in the order given."""
    codes = events.get_column("price_code")
    placed = events.with_columns(
        book.prices.select(pl.col("model", "price").gather(codes)).get_columns()
    )
    present = placed.get_column("model").unique(maintain_order=True).to_list()
    if len(present) == 1:
        return _answers(placed, present[0], book).with_columns(codes)
    numbered = placed.with_row_index("position")
    parts = []
    for model in present:
        part = numbered.filter(pl.col("model").eq_missing(pl.lit(model, dtype=pl.UInt32)))
        parts.append(_answers(part, model, book).with_columns(part.get_column("position")))
    if not parts:
        return pl.DataFrame(schema={**PRICED, "price_code": pl.UInt32})
    return pl.concat(parts).sort("position").drop("position").with_columns(codes)


def _answers(events: pl.DataFrame, model: int | None, book: PriceBook) -> pl.DataFrame:
    if model is None:
        return _without_price(events, book)
    return book.models[model].price_events(events, book.cards)


def _without_price(events: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    keys = [listed_plan(key) for key in book.plan_keys]
    plans = pl.Series("plan", [None, *keys], dtype=pl.String)
    plan = pl.lit(plans).gather(pl.col("plan_code"))
    detail = (
        pl.when(pl.col("plan_code").is_null())
        .then(pl.format("subscription {} has no plan", "subscription_key"))
        .otherwise(
            pl.format(
                "no price of plan {} takes usage type {}, direction {} on {}",
                plan,
                "usage_type",
                pl.col("direction").fill_null("(none)"),
                pl.col("local_start").dt.date(),
            )
        )
    )
    judged = events.select(detail=detail, reason=pl.lit(SuspenseReason.NO_PRICE.value))
    return completed(judged)


def _accepted(judged: pl.DataFrame, book: PriceBook) -> pl.DataFrame:
    codes = judged.get_column("price_code")
    named = book.prices.select(pl.col("product_key", "price_key", "currency").gather(codes))
    return judged.hstack(named).select(RATED_USAGE.names)


def _suspended(judged: pl.DataFrame) -> pl.DataFrame:
    return judged.with_columns(stage=pl.lit("rate"), raw=pl.lit(None, dtype=pl.String)).select(
        SUSPENSE.names
    )
