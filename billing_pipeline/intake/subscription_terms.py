"""What changes about subscriptions after they start: three CSV files of a tenant folder."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.period_end import resolved_agreed_prices, resolved_changes
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.check_terms import (
    AGREED_PRICES_FILE,
    CHANGES_FILE,
    DISCOUNTS_FILE,
    check_agreed_prices,
    check_changes,
    check_discounts,
)
from billing_pipeline.customers.schema import (
    ACCOUNTS,
    AGREED_PRICES,
    SUBSCRIPTION_CHANGES,
    SUBSCRIPTION_DISCOUNTS,
    SUBSCRIPTIONS,
)
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.intake.csv_tables import CsvColumn, CsvTable, read_table
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.problems import Problem

_WAITS = (pl.col("takes_effect") == "period_end").fill_null(value=False)

TERMS_FILES = (CHANGES_FILE, DISCOUNTS_FILE, AGREED_PRICES_FILE)

_CHANGE_COLUMNS = (
    CsvColumn("subscription_key", "key", is_required=True),
    CsvColumn("effective_on", "date", is_required=True),
    CsvColumn("takes_effect", "key"),
    CsvColumn("plan_key", "key"),
    CsvColumn("quantity", "decimal"),
    CsvColumn("status", "key"),
)
_DISCOUNT_COLUMNS = (
    CsvColumn("subscription_key", "key", is_required=True),
    CsvColumn("discount_key", "key", is_required=True),
    CsvColumn("valid_from", "date"),
    CsvColumn("valid_until", "date"),
)
_AGREED_PRICE_COLUMNS = (
    CsvColumn("subscription_key", "key", is_required=True),
    CsvColumn("price_key", "key", is_required=True),
    CsvColumn("amount", "decimal", is_required=True),
    CsvColumn("valid_from", "date"),
    CsvColumn("valid_until", "date"),
    CsvColumn("takes_effect", "key"),
)
TERMS_COLUMNS = {
    "subscription_changes": _CHANGE_COLUMNS,
    "subscription_discounts": _DISCOUNT_COLUMNS,
    "agreed_prices": _AGREED_PRICE_COLUMNS,
}
"""Columns of each table by its name."""


@dataclass(frozen=True)
class ReadTerms:
    """The three tables as they stand in the files, each with ROW, and their mistakes."""

    changes: pl.DataFrame
    discounts: pl.DataFrame
    agreed_prices: pl.DataFrame
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class SubscriptionTerms:
    """SUBSCRIPTION_CHANGES, SUBSCRIPTION_DISCOUNTS and AGREED_PRICES as the books keep them."""

    changes: pl.DataFrame
    discounts: pl.DataFrame
    agreed_prices: pl.DataFrame


def read_terms(content: Callable[[str], bytes | None], subscriptions: pl.DataFrame) -> ReadTerms:
    """Read the three files; an empty `valid_from` is the first day of the subscription.

    `content` gives the bytes of a file of the folder, None if it is absent.
    """
    changes = _read(CHANGES_FILE, content(CHANGES_FILE), _CHANGE_COLUMNS)
    discounts = _read(DISCOUNTS_FILE, content(DISCOUNTS_FILE), _DISCOUNT_COLUMNS)
    agreed = _read(AGREED_PRICES_FILE, content(AGREED_PRICES_FILE), _AGREED_PRICE_COLUMNS)
    return ReadTerms(
        changes=changes.frame,
        discounts=_from_the_start(discounts.frame, subscriptions),
        agreed_prices=_from_the_start(agreed.frame, subscriptions),
        problems=(*changes.problems, *discounts.problems, *agreed.problems),
    )


def check_terms(terms: ReadTerms, catalog: Catalog, subscriptions: pl.DataFrame) -> list[Problem]:
    """Mistakes that show only beside the catalog and the subscriptions."""
    return [
        *check_changes(catalog, terms.changes, subscriptions),
        *check_discounts(catalog, terms.discounts, subscriptions),
        *check_agreed_prices(catalog, terms.agreed_prices, subscriptions),
    ]


def dated_terms(
    terms: ReadTerms,
    tenant: Tenant,
    catalog: Catalog,
    accounts: pl.DataFrame,
    subscriptions: pl.DataFrame,
) -> SubscriptionTerms:
    """The terms with every change on the day it holds from; `terms` have no mistakes."""
    facts = BillingFacts(
        tenant=tenant,
        catalog=catalog,
        accounts=ACCOUNTS.conform(accounts),
        subscriptions=SUBSCRIPTIONS.conform(subscriptions),
        rated_usage=RATED_USAGE.empty().lazy(),
        subscription_changes=SUBSCRIPTION_CHANGES.conform(terms.changes.filter(~_WAITS)),
        agreed_prices=AGREED_PRICES.conform(terms.agreed_prices.filter(~_WAITS)),
    )
    changes = resolved_changes(facts, SUBSCRIPTION_CHANGES.conform(terms.changes.filter(_WAITS)))
    waiting = AGREED_PRICES.conform(terms.agreed_prices.filter(_WAITS))
    return SubscriptionTerms(
        changes=changes,
        discounts=SUBSCRIPTION_DISCOUNTS.conform(terms.discounts),
        agreed_prices=resolved_agreed_prices(replace(facts, subscription_changes=changes), waiting),
    )


def _from_the_start(rows: pl.DataFrame, subscriptions: pl.DataFrame) -> pl.DataFrame:
    starts = subscriptions.select("subscription_key", "started_on").unique(
        "subscription_key", keep="first", maintain_order=True
    )
    return (
        rows.join(starts, on="subscription_key", how="left", validate="m:1", maintain_order="left")
        .with_columns(valid_from=pl.coalesce("valid_from", "started_on"))
        .drop("started_on")
    )


def _read(file: str, content: bytes | None, columns: tuple[CsvColumn, ...]) -> CsvTable:
    """Read a table; a tenant without the file has a table without rows."""
    if content is None:
        content = ",".join(column.name for column in columns).encode()
    return read_table(file, content, columns)
