"""Rate one tenant's usage day: mediated usage in, rated usage and suspense out."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.books import catalog, conservation, due, manifest, retention
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.mediation.schema import SUSPENSE, USAGE_EVENTS
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.day_parts import DayParts
from billing_pipeline.orchestration.steps.facts import TenantFacts, read_facts, read_rate_cards
from billing_pipeline.orchestration.steps.latest import Latest
from billing_pipeline.orchestration.steps.suspense_lives import keep_partition_lives
from billing_pipeline.rating.price_book import PriceBook, price_book
from billing_pipeline.rating.rate import rate
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.rating.shards import by_shard, shards_of

STAGE = "rate"


@dataclass(frozen=True)
class RatedDay:
    """What rating one tenant's day came to. Amounts in major units of the tenant's currency."""

    events: int
    rated: int
    suspended: int
    amount: Decimal
    cost_amount: Decimal
    currency: str
    is_masked: bool = False


class TenantRater:
    """Rates days of any tenants; reads facts and flattens prices once per tenant and revision."""

    def __init__(self, installation: Installation, now: dt.datetime) -> None:
        self._installation = installation
        self._now = now
        self._known = Latest[tuple[TenantFacts, PriceBook]]()

    def rate_day(self, tenant_key: str, day: dt.date) -> RatedDay:
        """Rate a tenant's usage day and make the result current. Re-running replaces the day.

        A day whose numbers were masked stays as it is.
        """
        with tenant_scope(self._installation.engine, tenant_key) as connection:
            touched = due.rating_day_touched(connection, tenant_key, day)
            key = (tenant_key, catalog.configuration_stamp(connection))
        facts, book = self._known.of(key, lambda: self._facts(tenant_key))
        try:
            return rate_day(self._installation, facts, book, day, touched=touched, now=self._now)
        except retention.DayMasked:
            nothing = Decimal(0)
            return RatedDay(0, 0, 0, nothing, nothing, facts.tenant.currency, is_masked=True)

    def _facts(self, tenant_key: str) -> tuple[TenantFacts, PriceBook]:
        facts = read_facts(self._installation, tenant_key)
        cards = read_rate_cards(self._installation, tenant_key)
        return facts, tenant_price_book(facts, cards)


def tenant_price_book(facts: TenantFacts, rate_card_prices: pl.DataFrame) -> PriceBook:
    """The tenant's prices, flattened once for all days of a run."""
    return price_book(
        facts.catalog,
        facts.subscriptions,
        rate_card_prices,
        facts.tenant.time_zone,
        facts.terms.changes,
        facts.accounts,
    )


@dataclass
class RatedShard:
    """A day's shard that is in the lake and not current yet; it goes from process to process."""

    done: DayParts
    amount: Decimal = Decimal(0)
    cost_amount: Decimal = Decimal(0)

    def add(self, events: pl.DataFrame, book: PriceBook) -> None:
        """Rate some events of the shard."""
        outcome = rate(events, book)
        tenant_key = self.done.tenant_key
        self.done.write(layout.RATED_USAGE, tenant_key, RATED_USAGE.conform(outcome.accepted))
        self.done.write(layout.RATE_SUSPENSE, tenant_key, SUSPENSE.conform(outcome.suspended))
        self.done.count(events, outcome)
        self.amount += Decimal(outcome.accepted["amount"].sum() or 0)
        self.cost_amount += Decimal(outcome.accepted["cost_amount"].sum() or 0)


def rate_day(
    installation: Installation,
    facts: TenantFacts,
    book: PriceBook,
    day: dt.date,
    *,
    touched: int,
    now: dt.datetime,
) -> RatedDay:
    """Rate a tenant's usage day and make the result current. Re-running replaces the day.

    `touched` is the day's counter, read before the facts.
    """
    paths = _event_paths(installation, facts.tenant.key, day)
    shards = shards_of(int(paths["rows"].sum()))
    rated = [empty_shard(installation, facts.tenant.key, day) for _ in range(shards)]
    for events in _events(installation, paths):
        for shard, own in zip(rated, by_shard(events, shards), strict=True):
            shard.add(own, book)
    return make_shards_current(installation, facts, day, rated, touched=touched, now=now)


def day_shards(installation: Installation, tenant_key: str, day: dt.date) -> int:
    """In how many shards a tenant's usage day is rated."""
    return shards_of(int(_event_paths(installation, tenant_key, day)["rows"].sum()))


def rate_shard(
    installation: Installation, book: PriceBook, tenant_key: str, day: dt.date, shard: int
) -> RatedShard:
    """Rate one shard of a tenant's usage day, wherever the others are rated."""
    rated = empty_shard(installation, tenant_key, day)
    paths = _event_paths(installation, tenant_key, day)
    shards = shards_of(int(paths["rows"].sum()))
    for events in _events(installation, paths):
        rated.add(by_shard(events, shards)[shard], book)
    return rated


def empty_shard(installation: Installation, tenant_key: str, day: dt.date) -> RatedShard:
    """A shard of which nothing is rated yet."""
    partitions = [(frame, tenant_key) for frame in (layout.RATED_USAGE, layout.RATE_SUSPENSE)]
    return RatedShard(DayParts(installation.lake, STAGE, tenant_key, day, partitions))


def make_shards_current(
    installation: Installation,
    facts: TenantFacts,
    day: dt.date,
    shards: Sequence[RatedShard],
    *,
    touched: int,
    now: dt.datetime,
) -> RatedDay:
    """Make all shards of a day current in one transaction: before the last of them, none is."""
    tenant_key = facts.tenant.key
    done = shards[0].done.joined(shard.done for shard in shards[1:])
    with tenant_scope(installation.engine, tenant_key) as connection:
        retention.refuse_masked_day(connection, tenant_key, day)
        for part in done.partitions():
            manifest.replace_partition(connection, part.frame, day, part.tenant_key, part.chunks)
        conservation.replace_conservation(connection, done.equation())
        keep_partition_lives(
            connection,
            tenant_key,
            STAGE,
            day,
            suspended=done.suspended(),
            went_on=installation.lake.scan(done.paths(layout.RATED_USAGE), RATED_USAGE),
            seen_at=now,
        )
        due.record_rated(connection, tenant_key, day, touched)
    amount = sum((shard.amount for shard in shards), Decimal(0))
    cost_amount = sum((shard.cost_amount for shard in shards), Decimal(0))
    return _summary(facts, done.equation(), amount, cost_amount)


def event_parts(
    installation: Installation, tenant_key: str, day: dt.date
) -> Iterator[pl.DataFrame]:
    """A tenant's current USAGE_EVENTS of a UTC day, part by part; without any, one without rows.

    Raises: DayMasked: of masked usage nothing can be priced anew.
    """
    yield from _events(installation, _event_paths(installation, tenant_key, day))


def _events(installation: Installation, paths: pl.DataFrame) -> Iterator[pl.DataFrame]:
    if paths.is_empty():
        yield USAGE_EVENTS.empty()
    for path in paths["path"]:
        yield installation.lake.scan([path], USAGE_EVENTS).collect()


def _event_paths(installation: Installation, tenant_key: str, day: dt.date) -> pl.DataFrame:
    with tenant_scope(installation.engine, tenant_key) as connection:
        retention.refuse_masked_day(connection, tenant_key, day)
        return manifest.partition_paths(
            connection, layout.MEDIATED_USAGE, tenant_key, day, day + ONE_DAY
        )


def _summary(
    facts: TenantFacts, equation: pl.DataFrame, amount: Decimal, cost_amount: Decimal
) -> RatedDay:
    counts = equation.row(0, named=True)
    return RatedDay(
        events=counts["records_in"],
        rated=counts["accepted"],
        suspended=counts["suspended"],
        amount=amount,
        cost_amount=cost_amount,
        currency=facts.tenant.currency,
    )
