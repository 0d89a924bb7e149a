"""Receivables in foreign currency at the rate of a month's end: gains and losses not paid yet."""

import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.accounting.journal import Journal, finished
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.identifiers import natural_key
from billing_pipeline.vocabulary.money import minor_exponent

RULE = "revaluation"


class UnknownRate(Exception):
    """A foreign currency has no exchange rate for a day it is needed on."""


def revaluation_of_receivables(
    items: pl.DataFrame, journal: pl.DataFrame, month_end: dt.date, tenant: Tenant
) -> Journal:
    """Book what open items in foreign currency are worth more or less than when they were issued.

    Amounts are in the tenant's currency and cumulative: what earlier months booked is subtracted.

    Args:
        items: OPEN_ITEMS issued by `month_end`.
        journal: the tenant's JOURNAL.
        month_end: last day of the month.
        tenant: whose exchange rates and chart are used.

    Shape: at most one entry. Raises: UnknownRate.
    """
    foreign = items.filter(
        pl.col("currency") != tenant.currency, pl.col("issued_date") <= month_end
    )
    worth = sum(
        (
            worth_on(tenant, currency, open_minor, month_end)
            - worth_on(tenant, currency, open_minor, issued)
            for currency, issued, open_minor in foreign.select(
                "currency", "issued_date", "open_minor"
            ).rows()
        ),
        0,
    )
    earlier = journal.filter(
        pl.col("posting_rule") == RULE, pl.col("role") == "receivable_revaluation"
    )
    gained = worth - int(earlier["amount_minor"].sum())
    month = f"{month_end:%Y-%m}"
    entries = pl.DataFrame({"source_key": [f"{month}/{tenant.currency}"]}).with_columns(
        entry_key=natural_key(pl.lit(RULE), pl.col("source_key")),
        posting_rule=pl.lit(RULE),
        booked_date=pl.lit(month_end),
        currency=pl.lit(tenant.currency),
        narration=pl.lit(f"Receivables in foreign currency at the rates of {month_end}"),
    )
    side = entries.select("entry_key", "currency")
    sides = [
        side.with_columns(
            role=pl.lit("receivable_revaluation"), amount_minor=pl.lit(gained, pl.Int64)
        ),
        side.with_columns(
            role=pl.lit("exchange_difference"), amount_minor=pl.lit(-gained, pl.Int64)
        ),
    ]
    return finished(entries, sides, tenant)


def worth_on(tenant: Tenant, currency: str, amount_minor: int, day: dt.date) -> int:
    """Minor units of the tenant's currency, rounded half away from zero."""
    rate = rate_on(tenant, currency, day)
    shift = minor_exponent(tenant.currency) - minor_exponent(currency)
    exact = Decimal(amount_minor) * rate * Decimal(10) ** shift
    rounded = int(abs(exact) + Decimal("0.5"))
    return rounded if exact >= 0 else -rounded


def rate_on(tenant: Tenant, currency: str, day: dt.date) -> Decimal:
    """How much of the tenant's currency one unit of another was worth on a day.

    Raises: UnknownRate.
    """
    known = [
        rate
        for rate in tenant.exchange_rates
        if rate.currency == currency and rate.valid_from <= day
    ]
    if not known:
        raise UnknownRate(
            f"no exchange rate of {currency} for {day}; add it to exchange_rates in tenant.yaml"
        )
    return max(known, key=lambda rate: rate.valid_from).rate
