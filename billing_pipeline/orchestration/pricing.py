"""Asking what things cost without touching anything: explanations and trials."""

import datetime as dt
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.books.subscription_terms import SubscriptionTerms
from billing_pipeline.catalog.explain import Candidate, explain_prices
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import (
    TenantFacts,
    read_facts,
    read_feeds,
    read_rate_cards,
)


class UnknownName(LookupError):
    """A tenant, subscription, plan, product or feed that there is none of."""


@dataclass(frozen=True)
class Sources:
    """What one tenant's prices are worked out from, from the books or from its folder."""

    facts: TenantFacts
    rate_card_prices: pl.DataFrame
    feeds: tuple[Feed, ...]


@dataclass(frozen=True)
class Explanation:
    """Why a subscription has its prices of a product on a day."""

    subscription: str
    account: str
    plan: str
    product: str
    product_kind: str
    category: str | None
    day: dt.date
    time_zone: str
    candidates: list[Candidate]

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return asdict(self)

    def __str__(self) -> str:
        """For people."""
        who = f"subscription {self.subscription} of account {self.account}"
        lines = [f"{who} on plan {self.plan}, {self.day} in {self.time_zone}"]
        for key in dict.fromkeys(one.price_key for one in self.candidates):
            lines.append(f"price {key} of {self._product}; the first in force holds:")
            lines += [_line(one) for one in self.candidates if one.price_key == key]
        if not self.candidates:
            lines.append(f"plan {self.plan} has no price of product {self.product}")
        return "\n".join(lines)

    @property
    def _product(self) -> str:
        category = "" if self.category is None else f", {self.category}"
        return f"product {self.product} ({self.product_kind}{category})"


def _line(one: Candidate) -> str:
    until = f" until {one.valid_until}" if one.valid_until else ""
    return (
        f"  {'->' if one.holds else '  '} {one.place}. {one.source}: {one.name},"
        f" from {one.valid_from}{until}: {one.model}, {one.terms}"
    )


def sources(
    installation: Installation, tenant: str, *, known_at: dt.datetime | None = None
) -> Sources:
    """A tenant as applied, or as it stands in a folder that is named instead.

    Raises: UnknownName, ConfigurationRefused.
    """
    if (Path(tenant) / "tenant.yaml").is_file():
        folder = read_tenant_folder(Path(tenant))
        facts = TenantFacts(
            tenant=folder.tenant,
            revision=0,
            catalog=folder.sold,
            accounts=folder.accounts,
            subscriptions=folder.subscriptions,
            terms=SubscriptionTerms(
                changes=folder.terms.changes,
                discounts=folder.terms.discounts,
                agreed_prices=folder.terms.agreed_prices,
            ),
        )
        return Sources(facts, folder.sold_prices, folder.feeds)
    return Sources(
        read_facts(installation, tenant, known_at=known_at),
        read_rate_cards(installation, tenant, known_at=known_at),
        read_feeds(installation, tenant, known_at=known_at),
    )


def explain(given: Sources, subscription_key: str, product_key: str, at: dt.date) -> Explanation:
    """Why a subscription has its prices of a product on a local day.

    Raises: UnknownName.
    """
    facts = given.facts
    subscription = facts.subscriptions.filter(pl.col("subscription_key") == subscription_key)
    if subscription.is_empty():
        raise UnknownName(f"tenant {facts.tenant.key} has no subscription {subscription_key!r}")
    if product_key not in facts.catalog.product_by_key:
        known = ", ".join(sorted(facts.catalog.product_by_key))
        raise UnknownName(f"no product {product_key!r}; there are {known}")
    product = facts.catalog.product_by_key[product_key]
    changes = facts.terms.changes.filter(
        pl.col("subscription_key") == subscription_key,
        pl.col("plan_key").is_not_null(),
        pl.col("effective_on") <= at,
    ).sort("effective_on")
    plans = [*subscription.get_column("plan_key"), *changes.get_column("plan_key")]
    plan_key = str(plans[-1])
    return Explanation(
        subscription=subscription_key,
        account=str(subscription.item(0, "account_key")),
        plan=plan_key,
        product=product_key,
        product_kind=product.kind,
        category=product.category,
        day=at,
        time_zone=facts.tenant.time_zone,
        candidates=explain_prices(
            facts.catalog,
            facts.accounts,
            subscription,
            plan_key,
            product_key,
            at,
            facts.terms.agreed_prices,
        ),
    )


def local_day(tenant: Tenant, text: str) -> dt.date:
    """The tenant's local day of an instant, or the day itself.

    Raises: ValueError if the text is neither.
    """
    if len(text) == len("2026-10-05"):
        return dt.date.fromisoformat(text)
    instant = dt.datetime.fromisoformat(text)
    aware = instant if instant.tzinfo is not None else instant.replace(tzinfo=tenant.zone)
    return aware.astimezone(ZoneInfo(tenant.time_zone)).date()
