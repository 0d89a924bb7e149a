"""Facts for billing tests, said in few words."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.billing.schema import POSTED
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Discount, Plan, Product
from billing_pipeline.customers.schema import (
    ACCOUNTS,
    SUBSCRIPTION_CHANGES,
    SUBSCRIPTION_DISCOUNTS,
    SUBSCRIPTIONS,
)
from billing_pipeline.customers.tenant import LedgerAccounts, LegalEntity, Tenant
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.frames import FrameSchema
from billing_pipeline.vocabulary.money import AMOUNT

PRODUCTS = tuple(
    Product.model_validate({"key": key, "name": name, "kind": kind})
    for key, name, kind in [
        ("line", "Telephone line", "recurring"),
        ("setup", "Set-up", "one_time"),
        ("minutes", "Minutes", "usage"),
        ("requests", "API requests", "usage"),
        ("rebate", "Rebate", "discount"),
        ("floor", "Minimum fee", "adjustment"),
    ]
)
MINUTES = {
    "key": "minutes",
    "product": "minutes",
    "model": "per_unit",
    "amount": "0.05",
    "pricing_unit": 60,
    "unit": "min",
    "applies_to": {"usage_type": "voice"},
}
LINE = {"key": "line", "product": "line", "model": "flat", "amount": "20"}

Row = Mapping[str, Any]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def tenant(look_back_periods: int | None) -> Tenant:
    return Tenant(
        key="brand",
        name="Brand",
        legal_entity=LegalEntity(
            name="Brand Inc",
            street="1 Main St",
            city="Albany",
            postal_code="12207",
            country="US",
            email="billing@example.com",
        ),
        currency="USD",
        time_zone="America/New_York",
        look_back_periods=look_back_periods,
        ledger_accounts=LedgerAccounts(receivable="1200", revenue="4000", tax="2200"),
    )


def plan(prices: Sequence[Row] = (LINE,), /, **terms: object) -> Plan:
    return Plan.model_validate(
        {"key": "basic", "name": "Basic", "currency": "USD", "prices": list(prices), **terms}
    )


def frame(schema: FrameSchema, defaults: Row, rows: Sequence[Row]) -> pl.DataFrame:
    full = [dict.fromkeys(schema.names) | dict(defaults) | dict(row) for row in rows]
    return schema.conform(pl.DataFrame(full, schema=schema.polars_schema))


def accounts(*rows: Row) -> pl.DataFrame:
    defaults = {
        "name": "Customer",
        "account_type": "business",
        "currency": "USD",
        "opened_on": day("2024-01-01"),
        "payment_terms_days": 14,
        "language": "en_US",
        "street": "2 Side St",
        "city": "Albany",
        "postal_code": "12207",
        "country": "US",
    }
    given = rows or ({"account_key": "a1"},)
    return frame(ACCOUNTS, defaults, [{"payer_key": row["account_key"], **row} for row in given])


def subscriptions(*rows: Row) -> pl.DataFrame:
    defaults = {
        "subscription_key": "s1",
        "account_key": "a1",
        "plan_key": "basic",
        "quantity": Decimal(1),
        "started_on": day("2024-01-01"),
    }
    return frame(SUBSCRIPTIONS, defaults, rows or ({},))


def changes(*rows: Row) -> pl.DataFrame:
    return frame(SUBSCRIPTION_CHANGES, {"subscription_key": "s1"}, rows)


def subscription_discounts(*rows: Row) -> pl.DataFrame:
    return frame(SUBSCRIPTION_DISCOUNTS, {"subscription_key": "s1"}, rows)


def rated(*rows: Row) -> pl.DataFrame:
    """Rated usage; `record_number` counts up, so that events stay distinct."""
    defaults = {
        "account_key": "a1",
        "subscription_key": "s1",
        "product_key": "minutes",
        "price_key": "minutes",
        "file_key": "file",
        "usage_type": "voice",
        "currency": "USD",
    }
    numbered = [{"record_number": number, **row} for number, row in enumerate(rows, start=1)]
    return frame(RATED_USAGE, defaults, numbered)


def call(at: str, seconds: int, **terms: object) -> Row:
    """A call at 0.05 a minute, rated as the rating room does."""
    price = Decimal("0.05")
    return {
        "started_at": dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC),
        "quantity": Decimal(seconds),
        "billable_units": Decimal(seconds),
        "unit_price": price,
        "amount": round(Decimal(seconds) * price / 60, 10),
        **terms,
    }


def facts(  # noqa: PLR0913 - every fact has a default
    *,
    plans: Sequence[Plan] | None = None,
    discounts: Sequence[Discount] = (),
    of_accounts: pl.DataFrame | None = None,
    of_subscriptions: pl.DataFrame | None = None,
    of_changes: pl.DataFrame | None = None,
    of_discounts: pl.DataFrame | None = None,
    usage: pl.DataFrame | None = None,
    look_back_periods: int | None = None,
) -> BillingFacts:
    return BillingFacts(
        tenant=tenant(look_back_periods),
        catalog=Catalog(
            products=PRODUCTS, plans=tuple(plans or [plan()]), discounts=tuple(discounts)
        ),
        accounts=accounts() if of_accounts is None else of_accounts,
        subscriptions=subscriptions() if of_subscriptions is None else of_subscriptions,
        rated_usage=(RATED_USAGE.empty() if usage is None else usage).lazy(),
        subscription_discounts=subscription_discounts() if of_discounts is None else of_discounts,
        subscription_changes=changes() if of_changes is None else of_changes,
    )


def all_accounts(of: BillingFacts) -> pl.Series:
    return of.accounts.get_column("account_key")


def charges_of(of: BillingFacts, bill_day: str) -> pl.DataFrame:
    return compute_charges(of, all_accounts(of), day(bill_day))


def amounts(charges: pl.DataFrame) -> dict[str, Decimal]:
    """Amount of each charge by its key."""
    return dict(charges.select("charge_key", "amount").rows())


NOTHING_POSTED = POSTED.empty()


def post(posted: pl.DataFrame, to_post: pl.DataFrame) -> pl.DataFrame:
    """What the books hold once `to_post` is posted as well."""
    now = to_post.select(
        *(name for name in POSTED.names if name in to_post.columns and name != "posted_amount"),
        posted_amount=pl.col("posted_amount") + pl.col("difference"),
        postings=pl.col("posting_number"),
        invoice_number=pl.coalesce("corrects_invoice", pl.lit("INV-1")),
    ).select(POSTED.names)
    kept = posted.join(to_post, on="charge_key", how="anti")
    return pl.concat([kept, now]).sort("charge_key")


def run(of: BillingFacts, posted: pl.DataFrame, bill_day: dt.date) -> pl.DataFrame:
    """Bill all accounts on a day; the books afterwards."""
    charges = compute_charges(of, all_accounts(of), bill_day)
    return post(posted, reconcile(charges, posted))


def total(posted: pl.DataFrame) -> Decimal:
    """Sum of all postings."""
    return Decimal(posted.select(pl.col("posted_amount").cast(AMOUNT).sum()).item() or 0)
