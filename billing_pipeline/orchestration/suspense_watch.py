"""What waits in suspense per tenant, measured against what the tenant rates."""

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.suspense_value import Waiting
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.rated_sums import rated_sums
from billing_pipeline.orchestration.steps.facts import read_tenant
from billing_pipeline.orchestration.suspense import Choice, read_lives, tenants_below


@dataclass(frozen=True)
class TenantSuspense:
    """The open lives of one tenant, and what they come to; nothing waits: None."""

    lives: pl.DataFrame
    waiting: Waiting | None


def tenant_suspense(installation: Installation, tenant_key: str) -> TenantSuspense:
    """Everything that waits at one tenant."""
    lives = read_lives(installation, Choice(tenant_key=tenant_key))
    if lives.is_empty():
        return TenantSuspense(lives, None)
    rated = rated_sums(installation, tenants_below(installation, tenant_key))
    currency = _main_currency(lives) or read_tenant(installation, tenant_key).currency
    own = lives.filter(pl.col("currency") == currency)
    waiting = Waiting(
        records=lives.height,
        oldest_seen_at=lives.sort("first_seen_at").item(0, "first_seen_at"),
        value=Decimal(own["estimated_value"].sum() or 0),
        unvalued=lives["estimated_value"].null_count(),
        rated=Decimal(rated.filter(pl.col("currency") == currency)["amount"].sum() or 0),
        currency=currency,
    )
    return TenantSuspense(lives, waiting)


def _main_currency(lives: pl.DataFrame) -> str | None:
    valued = lives.drop_nulls("estimated_value").group_by("currency").len()
    return next(iter(valued.sort("len", "currency", descending=[True, False])["currency"]), None)
