"""Money received and debts given up, and what they settle; recorded once, never changed."""

from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_in, copy_out
from billing_pipeline.books.payment_tables import (
    invoice_statements,
    payment_allocations,
    payment_receipts,
    payments,
)
from billing_pipeline.books.payments_schema import RECORDED_PAYMENTS, SETTLED, STATEMENTS

_STATE_BALANCES = sa.text("""
with issued as (
    select tenant_key, invoice_number, account_key, currency, bill_day, total_minor
    from invoices
    where tenant_key = :tenant_key and invoice_number = any(:numbers)
),

balances as (
    select distinct tenant_key, account_key, currency, bill_day from issued
),

facts as (
    select
        balances.*,
        (
            select coalesce(sum(total_minor), 0) from invoices
            where (invoices.tenant_key, invoices.account_key, invoices.currency)
                = (balances.tenant_key, balances.account_key, balances.currency)
                and invoice_number <> all(:numbers)
        ) as billed_minor,
        (
            select coalesce(sum(amount_minor) filter (where kind = 'payment'), 0) from payments
            where (payments.tenant_key, payments.account_key, payments.currency)
                = (balances.tenant_key, balances.account_key, balances.currency)
                and received_on <= balances.bill_day
        ) as paid_minor,
        (
            select coalesce(sum(amount_minor) filter (where kind = 'write_off'), 0) from payments
            where (payments.tenant_key, payments.account_key, payments.currency)
                = (balances.tenant_key, balances.account_key, balances.currency)
                and received_on <= balances.bill_day
        ) as written_off_minor,
        coalesce(stated.paid_minor, 0) as stated_paid_minor,
        coalesce(stated.written_off_minor, 0) as stated_written_off_minor
    from balances
    left join lateral (
        select sum(paid_minor) as paid_minor, sum(written_off_minor) as written_off_minor
        from invoice_statements
        inner join invoices using (tenant_key, invoice_number)
        where (invoices.tenant_key, invoices.account_key, invoices.currency)
            = (balances.tenant_key, balances.account_key, balances.currency)
    ) as stated on true
),

lines as (
    select
        issued.tenant_key,
        issued.invoice_number,
        issued.total_minor,
        row_number() over documents as position,
        billed_minor - stated_paid_minor - stated_written_off_minor as carried_minor,
        paid_minor - stated_paid_minor as paid_minor,
        written_off_minor - stated_written_off_minor as written_off_minor,
        sum(issued.total_minor) over documents - issued.total_minor as same_day_minor
    from issued
    inner join facts using (tenant_key, account_key, currency, bill_day)
    window documents as (
        partition by issued.account_key, issued.currency order by issued.invoice_number
    )
),

stated_once as (
    select
        tenant_key, invoice_number, total_minor,
        case when position = 1 then paid_minor else 0 end as paid_minor,
        case when position = 1 then written_off_minor else 0 end as written_off_minor,
        carried_minor + same_day_minor
            - case when position = 1 then 0 else paid_minor + written_off_minor end as carried_minor
    from lines
)

insert into invoice_statements
    (
        tenant_key, invoice_number, carried_minor, paid_minor, written_off_minor, total_minor,
        closing_minor
    )
select
    tenant_key, invoice_number, carried_minor, paid_minor, written_off_minor, total_minor,
    carried_minor - paid_minor - written_off_minor + total_minor
from stated_once
""")


def record_payments(
    connection: sa.Connection, tenant_key: str, recorded: pl.DataFrame, settled: pl.DataFrame
) -> None:
    """Insert RECORDED_PAYMENTS, and what they and earlier ones settle (SETTLED), for good.

    On commit no payment may settle more than it is, no document may be settled by more than it
    asks for.
    """
    tenant = pl.lit(tenant_key).alias("tenant_key")
    copy_in(connection, payments, RECORDED_PAYMENTS.conform(recorded).with_columns(tenant))
    copy_in(connection, payment_allocations, SETTLED.conform(settled).with_columns(tenant))


def read_payments(
    connection: sa.Connection, tenant_key: str, *, account_key: str | None = None
) -> pl.DataFrame:
    """The RECORDED_PAYMENTS of a tenant or one of its accounts, by day and key."""
    columns = [payments.c[name] for name in RECORDED_PAYMENTS.names]
    select = sa.select(*columns).where(payments.c.tenant_key == tenant_key)
    if account_key is not None:
        select = select.where(payments.c.account_key == account_key)
    return copy_out(connection, select, RECORDED_PAYMENTS).sort("received_on", "payment_key")


def read_settled(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """What all payments of a tenant settle: SETTLED."""
    columns = [payment_allocations.c[name] for name in SETTLED.names]
    select = sa.select(*columns).where(payment_allocations.c.tenant_key == tenant_key)
    return copy_out(connection, select, SETTLED).sort("payment_key", "invoice_number")


def state_balances(connection: sa.Connection, tenant_key: str, numbers: Sequence[str]) -> None:
    """Keep the balance that documents just issued state: what was open, what came, what is open."""
    connection.execute(_STATE_BALANCES, {"tenant_key": tenant_key, "numbers": list(numbers)})


def read_statements(
    connection: sa.Connection, tenant_key: str, numbers: Sequence[str]
) -> pl.DataFrame:
    """The STATEMENTS of some documents; those issued before statements were kept have none."""
    columns = [invoice_statements.c[name] for name in STATEMENTS.names]
    select = sa.select(*columns).where(
        invoice_statements.c.tenant_key == tenant_key,
        invoice_statements.c.invoice_number.in_(list(numbers)),
    )
    return copy_out(connection, select, STATEMENTS).sort("invoice_number")


def record_receipt(
    connection: sa.Connection, tenant_key: str, payment_key: str, *, path: str, sha256: str
) -> None:
    """Note where the receipt of a payment lies."""
    row = {"tenant_key": tenant_key, "payment_key": payment_key, "path": path, "sha256": sha256}
    connection.execute(sa.insert(payment_receipts).values(**row))


def receipts_of(connection: sa.Connection, tenant_key: str) -> dict[str, str]:
    """Path of the receipt by payment."""
    select = sa.select(payment_receipts.c.payment_key, payment_receipts.c.path)
    rows = connection.execute(select.where(payment_receipts.c.tenant_key == tenant_key))
    return {key: path for key, path in rows}  # noqa: C416 - rows are no pairs to the type checker
