"""Pricing a usage file or one event against a plan or a subscription, touching nothing."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

import polars as pl

from billing_pipeline.billing.one_period import priced_in_one_period
from billing_pipeline.catalog.feed_versions import version_in_force, versions_of
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.catalog.resolution import Sold, listed_plan, sold
from billing_pipeline.customers.schema import SUBSCRIPTION_CHANGES, SUBSCRIPTIONS
from billing_pipeline.intake.archive import open_usage
from billing_pipeline.mediation.decode import decode_blocks
from billing_pipeline.mediation.match import name_facts
from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.mediation.schema import GUIDE, RAW_USAGE, USAGE_EVENTS
from billing_pipeline.orchestration.pricing import Sources, UnknownName
from billing_pipeline.rating.price_book import price_book
from billing_pipeline.rating.rate import rate
from billing_pipeline.vocabulary.identifiers import content_key
from billing_pipeline.vocabulary.periods import local_day

TRIED = "trial"
"""Subscription and account of a trial against a plan."""

_ALWAYS = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SHOWN = (
    "started_at",
    "destination",
    "quantity",
    "billable_units",
    "unit_price",
    "connection_fee",
    "amount",
    "cost_amount",
    "currency",
    "product_key",
    "price_key",
    "rate_name",
    "rate_prefix",
    "rate_band",
    "rate_valid_from",
    "cost_prefix",
    "spans",
    "increments",
    "record_number",
)
_PRICED_BY = (
    "rate_name", "rate_prefix", "rate_band", "rate_valid_from", "cost_prefix", "increments",
    "spans",
)  # fmt: skip


@dataclass
class Trial:
    """What usage would cost: each event, each price in total, and what has no price."""

    against: str
    events: list[dict[str, object]] = field(default_factory=list)
    prices: list[dict[str, object]] = field(default_factory=list)
    unpriced: list[dict[str, object]] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For machines: numbers as text, exact."""
        plain: dict[str, object] = json.loads(json.dumps(asdict(self), default=_plain))
        return plain

    def text(self, limit: int) -> str:
        """For people, the first `limit` events in full."""
        lines = [f"against {self.against}"]
        lines += [_event_line(event) for event in self.events[:limit]]
        if len(self.events) > limit:
            lines.append(f"  ... and {len(self.events) - limit} more events (--limit)")
        lines += [f"  no price: record {row['record_number']}: {row['reason']}, {row['detail']}"
                  for row in self.unpriced[:limit]]  # fmt: skip
        lines += [
            f"price {row['price_key']} ({row['model']}): {row['events']} events,"
            f" {_number(row['quantity'])} units, {_number(row['amount'])} {row['currency']}"
            for row in self.prices
        ]
        return "\n".join(lines)


def try_price(given: Sources, against: str, events: pl.DataFrame) -> Trial:
    """Price USAGE_EVENTS as if all were of one subscription, or of a new one on a plan.

    What is priced over a billing period is priced as if the events were one period's.
    Raises: UnknownName if there is neither such a subscription nor such a plan.
    """
    facts = given.facts
    held, changes = _held(given, against)
    agreed = sold(facts.catalog, facts.accounts, held, changes)
    owner = agreed.subscriptions.row(0, named=True)
    own = events.with_columns(
        tenant_key=pl.lit(facts.tenant.key),
        account_key=pl.lit(owner["account_key"]),
        subscription_key=pl.lit(owner["subscription_key"]),
    )
    zone = facts.tenant.time_zone
    book = price_book(
        agreed.catalog,
        agreed.subscriptions,
        given.rate_card_prices,
        zone,
        agreed.subscription_changes,
    )
    outcome = rate(USAGE_EVENTS.conform(own), book)
    rated = outcome.accepted.sort("started_at", "file_key", "record_number")
    shown = [name for name in _SHOWN if name in rated.columns]
    plan_key = _plan_on(agreed, rated, zone)
    totals = priced_in_one_period(agreed.catalog, plan_key, rated, zone)
    return Trial(
        against=f"plan {listed_plan(plan_key)} of {facts.tenant.key}",
        events=rated.select(shown).rows(named=True),
        prices=totals.rows(named=True),
        unpriced=outcome.suspended.select("record_number", "reason", "detail").rows(named=True),
    )


def events_of_file(given: Sources, file: Path, feed_key: str, landed_on: dt.date) -> pl.DataFrame:
    """Usage events of a file as a feed reads it, whoever owns them.

    Of a feed with versions the one in force when the file landed, or on the date in its name.
    Raises: UnknownName, FileRefused.
    """
    feed = _feed(given, feed_key, file.name, landed_on)
    with open_usage(str(file), file.name, feed.match.max_bytes, feed.match.max_ratio) as stream:
        blocks = list(decode_blocks(feed, stream, content_key(file.name.encode())))
    raw = pl.concat([RAW_USAGE.empty(), *(block.accepted for block in blocks)])
    owned = raw.select(identifier="service_identifier").unique().with_columns(
        tenant_key=pl.lit(TRIED),
        account_key=pl.lit(TRIED),
        subscription_key=pl.lit(TRIED),
        valid_from=pl.lit(_ALWAYS),
        valid_until=pl.lit(None, pl.Datetime("us", "UTC")),
        match=pl.lit("exact"),
        status=pl.lit("assigned"),
        service_from=pl.lit(_ALWAYS),
        service_until=pl.lit(None, pl.Datetime("us", "UTC")),
    )  # fmt: skip
    return mediate(raw, GUIDE.conform(owned)).accepted


def event_of(pairs: Sequence[str], now: dt.datetime) -> pl.DataFrame:
    """One usage event from `field=value` words; what is no field of an event is an attribute.

    Raises: UnknownName for words that are no pair, ValueError for values that do not fit.
    """
    said = dict(_pair(word) for word in pairs)
    fields = {name: said.pop(name) for name in list(said) if name in USAGE_EVENTS.names}
    row: dict[str, object] = {
        "tenant_key": TRIED,
        "account_key": TRIED,
        "subscription_key": TRIED,
        "feed_key": TRIED,
        "file_key": TRIED,
        "record_number": 1,
        "service_identifier": TRIED,
        "unit": "",
        **fields,
        "started_at": _instant(fields.get("started_at"), now),
        "quantity": _decimal("quantity", fields.get("quantity", "1")),
        "carried_amount": _optional_decimal(fields),
        "attributes": json.dumps(said, sort_keys=True) if said else None,
    }
    if "usage_type" not in fields:
        raise UnknownName("say what kind of usage it is, e.g. --event usage_type=voice")
    return USAGE_EVENTS.conform(
        pl.DataFrame(
            [{**dict.fromkeys(USAGE_EVENTS.names), **row}], schema=USAGE_EVENTS.polars_schema
        )
    )


def _plan_on(agreed: Sold, rated: pl.DataFrame, time_zone: str) -> str:
    """The plan on the day of the first event, by which what is priced over a period is priced."""
    plans = agreed.subscription_changes.filter(pl.col("plan_key").is_not_null())
    if rated.height:
        first = local_day(pl.lit(rated.item(0, "started_at")), time_zone)
        plans = plans.filter(pl.col("effective_on") <= first)
    held = [*agreed.subscriptions["plan_key"], *plans.sort("effective_on")["plan_key"]]
    return str(held[-1])


def _held(given: Sources, against: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The subscription and its changes; a plan is held by one that never changes."""
    facts = given.facts
    of_key = pl.col("subscription_key") == against
    found = facts.subscriptions.filter(of_key)
    if found.height:
        return found, facts.terms.changes.filter(of_key)
    if against not in facts.catalog.plan_by_key:
        plans = ", ".join(sorted(facts.catalog.plan_by_key))
        raise UnknownName(
            f"{facts.tenant.key} has no plan and no subscription {against!r}; plans are {plans}"
        )
    row = dict.fromkeys(SUBSCRIPTIONS.names) | {
        "subscription_key": TRIED,
        "account_key": TRIED,
        "plan_key": against,
        "quantity": Decimal(1),
        "started_on": _ALWAYS.date(),
    }
    one = pl.DataFrame([row], schema=SUBSCRIPTIONS.polars_schema)
    return SUBSCRIPTIONS.conform(one), SUBSCRIPTION_CHANGES.empty()


def _feed(given: Sources, feed_key: str, name: str, landed_on: dt.date) -> Feed:
    versions = versions_of(given.feeds, feed_key)
    if versions:
        is_by_name = versions[0].version_by == "name"
        day = name_facts(name, versions[-1]).date if is_by_name else landed_on
        return version_in_force(versions, day or landed_on) or versions[0]
    known = ", ".join(sorted(feed.key for feed in given.feeds)) or "none"
    raise UnknownName(f"no feed {feed_key!r}; there are {known}")


def _pair(word: str) -> tuple[str, str]:
    name, sign, value = word.partition("=")
    if not sign:
        raise UnknownName(f"{word!r} is no field=value, e.g. quantity=90")
    return name, value


def _instant(text: str | None, now: dt.datetime) -> dt.datetime:
    if text is None:
        return now
    instant = dt.datetime.fromisoformat(text)
    return instant.astimezone(dt.UTC) if instant.tzinfo else instant.replace(tzinfo=dt.UTC)


def _decimal(name: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise UnknownName(f"{name}={text} is not a number; write it as 1234.56") from None


def _optional_decimal(fields: Mapping[str, str]) -> Decimal | None:
    text = fields.get("carried_amount")
    return None if text is None else _decimal("carried_amount", text)


def _plain(value: object) -> str:
    return _number(value) if isinstance(value, Decimal) else str(value)


def _number(value: object) -> str:
    """A number as people write it, without the zeros that storage adds."""
    if not isinstance(value, Decimal):
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _event_line(event: Mapping[str, object]) -> str:
    told = {name: value for name, value in event.items() if value is not None}
    fee = f" + fee {_number(told['connection_fee'])}" if "connection_fee" in told else ""
    cost = f", cost {_number(told['cost_amount'])}" if "cost_amount" in told else ""
    by = [f"{name.removeprefix('rate_')} {told[name]}" for name in _PRICED_BY if name in told]
    return (
        f"  record {event['record_number']} {event['started_at']}"
        f" {told.get('destination', '')} quantity {_number(event['quantity'])},"
        f" billable {_number(event['billable_units'])} {_unit_price(told)}{fee}"
        f" = {_number(event['amount'])} {event['currency']}{cost}"
        f"  <- price {', '.join([str(event['price_key']), *by])}"
    )


def _unit_price(told: Mapping[str, object]) -> str:
    if "unit_price" in told:
        return f"at {_number(told['unit_price'])}"
    return "priced as a whole" if told["amount"] else "priced over the period"
