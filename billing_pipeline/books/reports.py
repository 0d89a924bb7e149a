"""What the views of `sql/views` say of one tenant's month."""

import datetime as dt

import polars as pl
import sqlalchemy as sa

_WHOLE, _TEXT = pl.Int64(), pl.String()

_REVENUE = """
select member_key, month, product_key, currency, revenue_minor
from revenue_by_member
where tenant_key = :tenant and month <= :month
    and month > cast(:month as date) - interval '12 months'
order by month, member_key, product_key
"""
_CATEGORIES = """
select category, coalesce(category_name, category) as category_name, currency, revenue_minor
from revenue_by_category where tenant_key = :tenant and month = :month
order by currency, category
"""
_BALANCES = """
select distinct on (role, currency) role, currency,
    case when month = :month then movement_minor else 0 end as movement_minor, balance_minor
from role_balances where tenant_key = :tenant and month <= :month
order by role, currency, month desc
"""
_TAXES = """
select tax_code, tax_rate::text as tax_rate, currency, documents, base_minor, tax_minor
from tax_report where tenant_key = :tenant and month = :month
order by currency, tax_code, tax_rate
"""
_AGED = """
select aged.account_key, accounts.name, aged.currency, aged.not_due_minor, aged.days_1_30_minor,
    aged.days_31_60_minor, aged.days_61_90_minor, aged.over_90_minor, aged.open_minor
from receivables_aged(cast(:last_day as date)) as aged
left join accounts on accounts.tenant_key = aged.tenant_key
    and accounts.account_key = aged.account_key and accounts.known_until is null
where aged.tenant_key = :tenant order by aged.open_minor desc, aged.account_key
"""
_BILL_RUNS = """
select bill_day, currency, invoices, credit_notes, net_minor, total_minor, previous_net_minor,
    change_percent::text as change_percent
from bill_runs where tenant_key = :tenant and bill_day between :month and :last_day
order by bill_day, currency
"""
_MOVERS = """
select moved.account_key, accounts.name, moved.currency, moved.net_minor,
    coalesce(moved.previous_net_minor, 0) as previous_net_minor, moved.change_minor
from account_movements as moved
left join accounts on accounts.tenant_key = moved.tenant_key
    and accounts.account_key = moved.account_key and accounts.known_until is null
where moved.tenant_key = :tenant and moved.month = :month
order by abs(moved.change_minor) desc, moved.account_key
"""
_QUERIES: dict[str, tuple[str, dict[str, pl.DataType]]] = {
    "revenue": (
        _REVENUE,
        {
            "member_key": _TEXT,
            "month": pl.Date(),
            "product_key": _TEXT,
            "currency": _TEXT,
            "revenue_minor": _WHOLE,
        },
    ),
    "categories": (
        _CATEGORIES,
        {
            "category": _TEXT,
            "category_name": _TEXT,
            "currency": _TEXT,
            "revenue_minor": _WHOLE,
        },
    ),
    "balances": (
        _BALANCES,
        {"role": _TEXT, "currency": _TEXT, "movement_minor": _WHOLE, "balance_minor": _WHOLE},
    ),
    "taxes": (
        _TAXES,
        {
            "tax_code": _TEXT,
            "tax_rate": _TEXT,
            "currency": _TEXT,
            "documents": _WHOLE,
            "base_minor": _WHOLE,
            "tax_minor": _WHOLE,
        },
    ),
    "aged": (
        _AGED,
        {
            "account_key": _TEXT,
            "name": _TEXT,
            "currency": _TEXT,
            "not_due_minor": _WHOLE,
            "days_1_30_minor": _WHOLE,
            "days_31_60_minor": _WHOLE,
            "days_61_90_minor": _WHOLE,
            "over_90_minor": _WHOLE,
            "open_minor": _WHOLE,
        },
    ),
    "bill_runs": (
        _BILL_RUNS,
        {
            "bill_day": pl.Date(),
            "currency": _TEXT,
            "invoices": _WHOLE,
            "credit_notes": _WHOLE,
            "net_minor": _WHOLE,
            "total_minor": _WHOLE,
            "previous_net_minor": _WHOLE,
            "change_percent": _TEXT,
        },
    ),
    "movers": (
        _MOVERS,
        {
            "account_key": _TEXT,
            "name": _TEXT,
            "currency": _TEXT,
            "net_minor": _WHOLE,
            "previous_net_minor": _WHOLE,
            "change_minor": _WHOLE,
        },
    ),
}


def read_report(
    connection: sa.Connection, tenant_key: str, month: dt.date, last_day: dt.date
) -> dict[str, pl.DataFrame]:
    """The frames of `accounting.report.FinancialReport` that the books hold, by name."""
    asked = {"tenant": tenant_key, "month": month, "last_day": last_day}
    return {
        name: _read(connection, query, schema, asked) for name, (query, schema) in _QUERIES.items()
    }


def _read(
    connection: sa.Connection,
    query: str,
    schema: dict[str, pl.DataType],
    asked: dict[str, object],
) -> pl.DataFrame:
    names = [name for name in asked if f":{name}" in query]
    rows = connection.execute(sa.text(query), {name: asked[name] for name in names}).all()
    whole = [name for name, dtype in schema.items() if dtype == _WHOLE]
    given = [tuple(row) for row in rows]
    # Postgres sums bigint to numeric, which arrives as Decimal.
    frame = pl.DataFrame(
        given,
        schema={
            name: pl.Decimal(38, 0) if name in whole else dtype for name, dtype in schema.items()
        },
        orient="row",
    )
    return frame.with_columns(pl.col(whole).cast(pl.Int64))
