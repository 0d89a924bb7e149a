"""Small facts for controls: one subscription S1 of account A1 with a fee and calls in January."""

import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.schema import USAGE_PER_DAY
from billing_pipeline.billing.schema import CHARGES
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Discount, Plan, Product
from billing_pipeline.customers.schema import SUBSCRIPTIONS

JANUARY, FEBRUARY, MARCH = dt.date(2026, 1, 1), dt.date(2026, 2, 1), dt.date(2026, 3, 1)

CATALOG = Catalog(
    products=(
        Product(key="access", name="Access", kind="recurring"),
        Product(key="calls", name="Calls", kind="usage"),
        Product(key="reduction", name="Reduction", kind="discount"),
    ),
    plans=(
        Plan.model_validate(
            {
                "key": "basic",
                "name": "Basic",
                "currency": "EUR",
                "prices": [
                    {"key": "fee", "product": "access", "model": "flat", "amount": 20},
                    {
                        "key": "minutes",
                        "product": "calls",
                        "model": "per_unit",
                        "applies_to": {"usage_type": "voice"},
                        "amount": Decimal("0.05"),
                        "pricing_unit": 60,
                    },
                ],
            }
        ),
        Plan.model_validate(
            {
                "key": "bundle",
                "name": "Bundle",
                "currency": "EUR",
                "prices": [
                    {
                        "key": "bundled",
                        "product": "calls",
                        "model": "per_unit",
                        "applies_to": {"usage_type": "voice"},
                        "amount": Decimal("0.05"),
                        "pricing_unit": 60,
                    }
                ],
                "included_units": [{"key": "free", "units": 100, "prices": ["bundled"]}],
            }
        ),
    ),
    discounts=(
        Discount(key="welcome", name="Welcome", product="reduction", percent_off=10, periods=1),
        Discount(
            key="january", name="January", product="reduction", percent_off=10, until=FEBRUARY
        ),
    ),
)


def subscription(
    key: str = "S1",
    plan: str = "basic",
    started_on: dt.date = JANUARY,
    ended_on: dt.date | None = None,
) -> pl.DataFrame:
    row = {
        "subscription_key": key,
        "account_key": "A1",
        "plan_key": plan,
        "quantity": Decimal(1),
        "started_on": started_on,
        "ended_on": ended_on,
        "discount_key": None,
        "label": None,
    }
    return pl.DataFrame([row], schema=SUBSCRIPTIONS.polars_schema)


def charge(
    kind: str = "recurring", price: str = "fee", amount: str = "20", **values: object
) -> pl.DataFrame:
    """One charge of S1 for January; `values` are columns of CHARGES."""
    row = {
        "account_key": "A1",
        "subscription_key": "S1",
        "product_key": "access",
        "price_key": price,
        "charge_kind": kind,
        "description": "text",
        "service_from": JANUARY,
        "service_until": FEBRUARY,
        "bill_from": JANUARY,
        "quantity": Decimal(1),
        "unit": "month",
        "amount": Decimal(amount),
        "currency": "EUR",
        "tax_category": "standard",
        "events": 0,
    } | values
    row.setdefault("charge_key", f"{row['subscription_key']}/{price}/{kind}/{row['service_from']}")
    return pl.DataFrame(
        [{name: row.get(name) for name in CHARGES.names}], schema=CHARGES.polars_schema
    )


def used(
    *days: tuple[dt.date, int, str], price: str = "minutes", seconds: int = 60
) -> pl.DataFrame:
    """Usage of S1 as (local day, events, amount); every event has so many billable seconds."""
    rows = [
        {
            "account_key": "A1",
            "subscription_key": "S1",
            "price_key": price,
            "local_date": day,
            "events": events,
            "units": Decimal(events * seconds),
            "amount": Decimal(amount),
        }
        for day, events, amount in days
    ]
    return pl.DataFrame(rows, schema=USAGE_PER_DAY.polars_schema)
