"""Move a subscription to another plan from the beginning of its open period, and rate it anew."""

import csv
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from billing_pipeline.billing.spans import STEP, subscription_spans
from billing_pipeline.books import catalog as stored
from billing_pipeline.books.revisions import TenantRows, apply_revision
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.books.staleness import mark_changed_days_stale
from billing_pipeline.customers.schema import SUBSCRIPTION_CHANGES
from billing_pipeline.customers.tenant_document import tenant_document
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import (
    TenantFacts,
    billing_facts,
    read_facts,
    read_rate_cards,
)
from billing_pipeline.orchestration.steps.stale import compute_stale_days
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.periods import boundary, period_index

CHANGES_FILE = "subscription_changes.csv"


class NoSuchSwap(Exception):
    """The subscription or the plan is not known, or the subscription is not in service."""


@dataclass(frozen=True)
class Swap:
    """One subscription's move to a plan."""

    subscription_key: str
    plan_key: str
    effective_on: dt.date


def open_period_starts(facts: TenantFacts, subscription_key: str, today: dt.date) -> dt.date:
    """First day of the billing period that is open today, or of the subscription inside it.

    Raises: NoSuchSwap.
    """
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    spans = subscription_spans(known, facts.accounts["account_key"]).filter(
        pl.col("subscription_key") == subscription_key,
        pl.col("span_from") <= today,
        pl.col("span_until").is_null() | (pl.col("span_until") > today),
    )
    anchor = pl.col("anchor_on")
    starts = boundary(anchor, period_index(anchor, pl.lit(today), STEP), STEP)
    found = spans.select(pl.max_horizontal(starts, "started_on")).to_series()
    if found.is_empty():
        raise NoSuchSwap(f"subscription {subscription_key!r} is not in service on {today}")
    first = found.item(0)
    return dt.date.fromisoformat(str(first))


def apply_swap(
    installation: Installation,
    tenant_key: str,
    swap: Swap,
    *,
    now: dt.datetime,
    by: str,
    folder: Path | None = None,
) -> None:
    """Write the change into the books, and into the tenant's folder, then rate its days anew.

    Raises: NoSuchSwap.
    """
    facts = read_facts(installation, tenant_key)
    if swap.plan_key not in facts.catalog.plan_by_key:
        raise NoSuchSwap(f"{tenant_key} has no plan {swap.plan_key!r}")
    rows = _rows_with(installation, facts, swap)
    with installation_scope(installation.engine) as connection:
        apply_revision(connection, rows, applied_at=now, applied_by=by)
        mark_changed_days_stale(connection, tenant_key, now)
    if folder is not None:
        _append(folder / CHANGES_FILE, swap)
    compute_stale_days(installation, now)


def _rows_with(installation: Installation, facts: TenantFacts, swap: Swap) -> TenantRows:
    """What the books know of the tenant, and the change."""
    tenant_key = facts.tenant.key
    with tenant_scope(installation.engine, tenant_key) as connection:
        entries = stored.read_entries(connection, tenant_key)
        identifiers = stored.read_service_identifiers(connection, tenant_key)
    return TenantRows(
        tenant_document=tenant_document(facts.tenant),
        tenant_key=tenant_key,
        parent_key=facts.tenant.parent,
        entries=entries,
        accounts=facts.accounts,
        subscriptions=facts.subscriptions,
        service_identifiers=identifiers,
        rate_card_prices=read_rate_cards(installation, tenant_key),
        subscription_changes=_changes_with(facts.terms.changes, swap),
        subscription_discounts=facts.terms.discounts,
        agreed_prices=facts.terms.agreed_prices,
    )


def _changes_with(changes: pl.DataFrame, swap: Swap) -> pl.DataFrame:
    """The changes with the new plan from its day on; what else changes that day stays."""
    new = pl.DataFrame(
        {
            "subscription_key": [swap.subscription_key],
            "effective_on": [swap.effective_on],
            "plan_key": [swap.plan_key],
            "quantity": [None],
            "status": [None],
        },
        schema=SUBSCRIPTION_CHANGES.polars_schema,
    )
    key = ["subscription_key", "effective_on"]
    return SUBSCRIPTION_CHANGES.conform(
        pl.concat([changes, new])
        .group_by(key, maintain_order=True)
        .agg(pl.col("plan_key", "quantity", "status").drop_nulls().last())
        .sort(key)
    )


def _append(file: Path, swap: Swap) -> None:
    """Add the change to the folder's file by the columns it has."""
    is_new = not file.exists()
    columns = ["subscription_key", "effective_on", "plan_key", "quantity", "status"]
    if not is_new:
        with file.open(encoding="utf-8", newline="") as given:
            columns = next(csv.reader(given))
    row = {
        "subscription_key": swap.subscription_key,
        "effective_on": swap.effective_on.isoformat(),
        "plan_key": swap.plan_key,
    }
    with file.open("a", encoding="utf-8", newline="") as changes:
        writer = csv.DictWriter(changes, columns, restval="", lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(row)
