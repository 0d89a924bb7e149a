"""What a month's end adds to the journal: deferred revenue earned, unbilled revenue, supplier cost.

Amounts are computed for the whole life of a line and compared with what was booked, so a month
that is run again, run late or corrected by a credit note books the difference and nothing else.
"""

import datetime as dt

import polars as pl

from billing_pipeline.accounting.chart import has_role
from billing_pipeline.accounting.journal import Journal, finished
from billing_pipeline.accounting.posting_rules import is_deferred
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.identifiers import natural_key
from billing_pipeline.vocabulary.money import to_minor_units

_SOLD = ["product_key", "tax_code", "tax_rate", "currency"]
_RESULT = ["role", *_SOLD]


def earned_minor(last_day: dt.date) -> pl.Expr:
    """Part of a line's net earned by the end of `last_day`, by days, rounded half away from zero.

    Shape: row by row over net_minor, service_from, service_until. Cumulative: the parts of
    consecutive months sum to the line's net.
    """
    service_from, service_until = pl.col("service_from"), pl.col("service_until")
    days = (service_until - service_from).dt.total_days().clip(lower_bound=1)
    reached = pl.min_horizontal(service_until, pl.lit(last_day + dt.timedelta(days=1)))
    elapsed = (reached - service_from).dt.total_days().clip(lower_bound=0)
    net = pl.col("net_minor")
    # A one-day or dateless service is earned on its day.
    elapsed = pl.when(service_until <= reached).then(days).otherwise(elapsed)
    return net.sign() * ((2 * net.abs() * elapsed + days) // (2 * days))


def release_of_deferred_revenue(
    lines: pl.DataFrame, journal: pl.DataFrame, month_end: dt.date, tenant: Tenant
) -> Journal:
    """Move to revenue what has been earned of deferred lines and not been released yet.

    Args:
        lines: INVOICE_LINES of all documents ever deferred, and their `invoice_number`.
        journal: the tenant's JOURNAL up to and including `month_end`.
        month_end: last day of the month.
        tenant: whose chart of accounts is used.

    Shape: at most one entry per month and currency.
    """
    deferred = journal.filter(
        pl.col("role") == "deferred_revenue", pl.col("posting_rule") != "revenue_release"
    ).select("product_key", invoice_number="source_key", booked_date="booked_date")
    lines_deferred = lines.join(
        deferred.unique(), on=["invoice_number", "product_key"], how="inner", validate="m:1"
    ).filter(is_deferred())
    should_be = (
        lines_deferred.with_columns(role=_result_role(tenant))
        .group_by(_RESULT)
        .agg(amount_minor=-earned_minor(month_end).sum())
    )
    released = journal.filter(
        pl.col("posting_rule") == "revenue_release", pl.col("role") != "deferred_revenue"
    ).select(*_RESULT, amount_minor=-pl.col("amount_minor"))
    due = (
        pl.concat([should_be, released], how="diagonal_relaxed")
        .group_by(_RESULT)
        .agg(pl.col("amount_minor").sum())
    )
    return _monthly(
        due, "deferred_revenue", month_end, tenant, rule="revenue_release", text="Revenue earned in"
    )


def accrual_of_unbilled_revenue(
    unbilled: pl.DataFrame, month_end: dt.date, tenant: Tenant
) -> Journal:
    """Book as revenue what was supplied by the month's end and is on no document yet.

    Book `reversal_of` it on the next day: the invoice brings the revenue itself.

    Args:
        unbilled: INVOICE_LINES as they would be issued on `month_end`; recurring lines that
            reach further count by days.
        month_end: last day of the month.
        tenant: whose chart of accounts is used.
    """
    earned = (
        pl.when(pl.col("charge_kind") == "recurring")
        .then(earned_minor(month_end))
        .otherwise("net_minor")
    )
    due = (
        unbilled.with_columns(role=_result_role(tenant))
        .group_by(_RESULT)
        .agg(amount_minor=-earned.sum())
    )
    return _monthly(
        due,
        "accrued_revenue",
        month_end,
        tenant,
        rule="revenue_accrual",
        text="Unbilled revenue of",
    )


def accrual_of_supplier_cost(
    rated_usage: pl.LazyFrame, month_end: dt.date, tenant: Tenant
) -> Journal:
    """Book what suppliers will bill for a month's usage; take it back when their bill is booked.

    Args:
        rated_usage: RATED_USAGE of the month; rows without a cost price add nothing.
        month_end: last day of the month.
        tenant: whose chart of accounts is used.
    """
    cost = pl.col("cost_amount").drop_nulls().sum()
    due = (
        rated_usage.group_by("product_key", "currency")
        .agg(cost=cost)
        .with_columns(
            role=pl.lit("supplier_cost"),
            amount_minor=to_minor_units(pl.col("cost"), pl.col("currency")),
        )
        .drop("cost")
        .collect(engine="streaming")
    )
    return _monthly(
        due, "supplier_accrual", month_end, tenant, rule="cost_accrual", text="Supplier cost of"
    )


def _result_role(tenant: Tenant) -> pl.Expr:
    if not has_role(tenant, "discount"):
        return pl.lit("revenue")
    is_discount = pl.col("charge_kind") == "discount"
    return pl.when(is_discount).then(pl.lit("discount")).otherwise(pl.lit("revenue"))


def _monthly(
    results: pl.DataFrame, balance: str, month_end: dt.date, tenant: Tenant, *, rule: str, text: str
) -> Journal:
    month = f"{month_end:%Y-%m}"
    source = natural_key(pl.lit(month), pl.col("currency"))
    rows = results.filter(pl.col("amount_minor") != 0).with_columns(
        source_key=source, entry_key=natural_key(pl.lit(rule), source)
    )
    entries = rows.unique("entry_key").select(
        "entry_key",
        "source_key",
        "currency",
        posting_rule=pl.lit(rule),
        booked_date=pl.lit(month_end),
        narration=pl.lit(f"{text} {month}"),
    )
    sold = [name for name in _SOLD if name in rows.columns]
    balances = rows.group_by("entry_key", *sold).agg(-pl.col("amount_minor").sum())
    return finished(entries, [rows, balances.with_columns(role=pl.lit(balance))], tenant)
