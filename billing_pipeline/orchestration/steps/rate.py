"""Rate one tenant's usage day: mediated usage in, rated usage and suspense out."""

import datetime as dt
from collections.abc import Iterator
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
    tenant_key = facts.tenant.key
    lake = installation.lake
    frames = (layout.RATED_USAGE, layout.RATE_SUSPENSE)
    done = DayParts(lake, STAGE, tenant_key, day, [(frame, tenant_key) for frame in frames])
    amounts = [Decimal(0), Decimal(0)]
    for events in event_parts(installation, tenant_key, day):
        outcome = rate(events, book)
        done.write(layout.RATED_USAGE, tenant_key, RATED_USAGE.conform(outcome.accepted))
        done.write(layout.RATE_SUSPENSE, tenant_key, SUSPENSE.conform(outcome.suspended))
        done.count(events, outcome)
        for at, name in enumerate(("amount", "cost_amount")):
            amounts[at] += Decimal(outcome.accepted[name].sum() or 0)
    with tenant_scope(installation.engine, tenant_key) as connection:
        for part in done.partitions():
            manifest.replace_partition(connection, part.frame, day, part.tenant_key, part.chunks)
        conservation.replace_conservation(connection, done.equation())
        keep_partition_lives(
            connection,
            tenant_key,
            STAGE,
            day,
            suspended=done.suspended(),
            went_on=lake.scan(done.paths(layout.RATED_USAGE), RATED_USAGE),
            seen_at=now,
        )
        due.record_rated(connection, tenant_key, day, touched)
    return _summary(facts, done.equation(), *amounts)


def event_parts(
    installation: Installation, tenant_key: str, day: dt.date
) -> Iterator[pl.DataFrame]:
    """A tenant's current USAGE_EVENTS of a UTC day, part by part; without any, one without rows.

    Raises: DayMasked: of masked usage nothing can be priced anew.
    """
    with tenant_scope(installation.engine, tenant_key) as connection:
        retention.refuse_masked_day(connection, tenant_key, day)
        paths = manifest.partition_paths(
            connection, layout.MEDIATED_USAGE, tenant_key, day, day + ONE_DAY
        )
    if paths.is_empty():
        yield USAGE_EVENTS.empty()
    for path in paths["path"]:
        yield installation.lake.scan([path], USAGE_EVENTS).collect()


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
