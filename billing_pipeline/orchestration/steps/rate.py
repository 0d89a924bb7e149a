"""Rate one tenant's usage day: mediated usage in, rated usage and suspense out."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.conservation import conservation_row
from billing_pipeline.books import conservation, due, manifest
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.mediation.schema import SUSPENSE, USAGE_EVENTS
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import TenantFacts, read_facts, read_rate_cards
from billing_pipeline.orchestration.steps.keep import KeptFrame, keep_frames
from billing_pipeline.orchestration.steps.suspense_lives import keep_partition_lives
from billing_pipeline.rating.price_book import PriceBook, price_book
from billing_pipeline.rating.rate import rate
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.outcome import Outcome

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


class TenantRater:
    """Rates days of any tenants; reads facts and flattens prices once per tenant."""

    def __init__(self, installation: Installation, now: dt.datetime) -> None:
        self._installation = installation
        self._now = now
        self._known: dict[str, tuple[TenantFacts, PriceBook]] = {}

    def rate_day(self, tenant_key: str, day: dt.date) -> RatedDay:
        """Rate a tenant's usage day and make the result current. Re-running replaces the day."""
        if tenant_key not in self._known:
            facts = read_facts(self._installation, tenant_key)
            cards = read_rate_cards(self._installation, tenant_key)
            self._known = {tenant_key: (facts, tenant_price_book(facts, cards))}
        return rate_day(self._installation, *self._known[tenant_key], day, now=self._now)


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
    now: dt.datetime,
) -> RatedDay:
    """Rate a tenant's usage day and make the result current. Re-running replaces the day."""
    tenant_key = facts.tenant.key
    with tenant_scope(installation.engine, tenant_key) as connection:
        touched = due.rating_day_touched(connection, tenant_key, day)
    events = read_events(installation, tenant_key, day)
    outcome = rate(events, book)
    kept = [
        KeptFrame(layout.RATED_USAGE, tenant_key, RATED_USAGE.conform(outcome.accepted)),
        KeptFrame(layout.RATE_SUSPENSE, tenant_key, SUSPENSE.conform(outcome.suspended)),
    ]
    written = keep_frames(installation.lake, kept, day)
    with tenant_scope(installation.engine, tenant_key) as connection:
        for part in written:
            manifest.replace_partition(connection, part.frame, day, part.tenant_key, part.chunks)
        conservation.replace_conservation(connection, _conserved(tenant_key, day, events, outcome))
        keep_partition_lives(
            connection,
            tenant_key,
            STAGE,
            day,
            suspended=outcome.suspended,
            went_on=outcome.accepted.lazy(),
            seen_at=now,
        )
        due.record_rated(connection, tenant_key, day, touched)
    return _summary(facts, events, outcome)


def read_events(installation: Installation, tenant_key: str, day: dt.date) -> pl.DataFrame:
    """A tenant's current USAGE_EVENTS of a UTC day."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        paths = manifest.partition_paths(
            connection, layout.MEDIATED_USAGE, tenant_key, day, day + ONE_DAY
        )
    return installation.lake.scan(paths["path"].to_list(), USAGE_EVENTS).collect()


def _conserved(
    tenant_key: str, day: dt.date, events: pl.DataFrame, outcome: Outcome
) -> pl.DataFrame:
    quantity = Decimal(events["quantity"].sum() or 0)
    return conservation_row(STAGE, day, tenant_key, "", events.height, quantity, outcome)


def _summary(facts: TenantFacts, events: pl.DataFrame, outcome: Outcome) -> RatedDay:
    rated = outcome.accepted
    return RatedDay(
        events=events.height,
        rated=rated.height,
        suspended=outcome.suspended.height,
        amount=Decimal(rated["amount"].sum() or 0),
        cost_amount=Decimal(rated["cost_amount"].sum() or 0),
        currency=facts.tenant.currency,
    )
