"""The plan of a feed: its expressions compiled once, used for every block of every file."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from billing_pipeline.catalog.feeds import Computed, Feed
from billing_pipeline.mediation.expressions import Kind, compile_expression

_KINDS: dict[str, Kind] = {
    "text": "text",
    "phone": "text",
    "time": "instant",
    "duration": "number",
    "integer": "number",
    "decimal": "number",
}


_ALWAYS, _NEVER = "1 == 1", "1 == 0"


@dataclass(frozen=True)
class Plan:
    """Polars expressions over the typed fields of a feed.

    `event` are the columns of a usage event; `extra` are null or constant for most feeds.
    """

    feed: Feed
    event: Mapping[str, pl.Expr]
    selector: pl.Expr | None
    filters: tuple[pl.Expr, ...]
    billable: pl.Expr | None
    trailer: Mapping[str, pl.Expr]
    sequence_number: pl.Expr | None


@lru_cache(maxsize=512)
def _plan_of_text(feed_json: str) -> Plan:
    return _compiled(Feed.model_validate_json(feed_json))


def plan_of(feed: Feed) -> Plan:
    """Compile a feed's expressions.

    Raises: UnsoundExpression if an expression mixes kinds of values.
    """
    return _plan_of_text(feed.model_dump_json())


def _compiled(feed: Feed) -> Plan:
    kinds = {name: _KINDS[spec.type] for name, spec in feed.fields.items()}

    def compiled(text: str, wanted: Kind) -> pl.Expr:
        return compile_expression(text, kinds, wanted)

    trailer, number = feed.checks.trailer, feed.checks.sequence.number
    totals = (
        {}
        if trailer is None
        else {
            "when": compiled(trailer.when, "truth"),
            **{
                name: compiled(text, "number")
                for name in ("records", "quantity", "amount")
                if (text := getattr(trailer, name))
            },
        }
    )
    return Plan(
        feed=feed,
        event=_event(feed, kinds),
        selector=compiled(feed.records.selector, "text") if feed.records else None,
        filters=tuple(compiled(rule.when, "truth") for rule in feed.filters),
        billable=compiled(feed.billable_when, "truth") if feed.billable_when else None,
        trailer=totals,
        sequence_number=compiled(number, "number") if number else None,
    )


def _event(feed: Feed, kinds: Mapping[str, Kind]) -> dict[str, pl.Expr]:
    event, session = feed.event, feed.assemble

    def of(text: str | None, wanted: Kind) -> pl.Expr:
        if text is None:
            return pl.lit(None, pl.String if wanted == "text" else pl.Decimal(38, 10))
        return compile_expression(text, kinds, wanted)

    def word(given: str | Computed | None) -> pl.Expr:
        return (
            of(given.expression, "text")
            if isinstance(given, Computed)
            else pl.lit(given, pl.String)
        )

    return {
        "usage_type": word(event.usage_type),
        "service_identifier": of(event.service_identifier, "text"),
        "direction": word(event.direction),
        "origin": of(event.origin, "text"),
        "destination": of(event.destination, "text"),
        "started_at": of(event.started_at, "instant"),
        "quantity": of(event.quantity, "number"),
        "unit": word(event.unit),
        "carried_amount": of(event.carried_amount, "number"),
        "attributes": _attributes(event.attributes, kinds),
        "version": of(feed.version, "text"),
        "session_key": of(None, "text")
        if session is None
        else pl.when(of(session.when or _ALWAYS, "truth")).then(of(session.key, "text")),
        "session_part": pl.lit(None, pl.String)
        if session is None
        else pl.when(of(session.first_when or _NEVER, "truth"))
        .then(pl.lit("first"))
        .when(of(session.last_when or _NEVER, "truth"))
        .then(pl.lit("last"))
        .otherwise(pl.lit("middle")),
        "session_mode": pl.lit(session.mode if session else None, pl.String),
    }


def _attributes(given: list[str] | dict[str, str], kinds: Mapping[str, Kind]) -> pl.Expr:
    """Attributes as a JSON object of texts, keys sorted."""
    named = given if isinstance(given, dict) else {name: name for name in given}
    if not named:
        return pl.lit(None, pl.String)
    parts = [
        compile_expression(text, kinds, "text").alias(name) for name, text in sorted(named.items())
    ]
    return pl.struct(parts).struct.json_encode()
