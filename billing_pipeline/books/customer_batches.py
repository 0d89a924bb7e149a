"""Which customers accounting systems were told of: numbered batches, and as what."""

import datetime as dt
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from billing_pipeline.books.copy import copy_in, copy_out
from billing_pipeline.books.handoff_schema import CUSTOMER_BATCHES, CUSTOMERS_TOLD
from billing_pipeline.books.handoff_tables import customer_batch_members, customer_batches

_BATCH, _MEMBER = customer_batches.c, customer_batch_members.c


class NoSuchCustomerBatch(Exception):
    """No batch of customers of this number was exported."""


@dataclass(frozen=True)
class ExportedCustomers:
    """A batch of customers as it went out."""

    opened_at: dt.datetime
    customers: int
    path: str
    sha256: str


def next_batch_number(connection: sa.Connection, tenant_key: str, format_name: str) -> int:
    """Number of the next batch; whoever else wants one waits until this transaction ends."""
    connection.execute(
        sa.text("select pg_advisory_xact_lock(hashtextextended(:told, 3))"),
        {"told": f"{tenant_key}/{format_name}"},
    )
    last = sa.select(sa.func.max(_BATCH.batch_number)).where(
        _BATCH.tenant_key == tenant_key, _BATCH.format_name == format_name
    )
    return (connection.execute(last).scalar_one() or 0) + 1


def customers_told(connection: sa.Connection, tenant_key: str, format_name: str) -> pl.DataFrame:
    """The CUSTOMERS_TOLD of one format, each as it was told last, by account."""
    select = (
        sa.select(_MEMBER.account_key, _MEMBER.content_sha256)
        .ext(distinct_on(_MEMBER.account_key))
        .where(_MEMBER.tenant_key == tenant_key, _MEMBER.format_name == format_name)
        .order_by(_MEMBER.account_key, _MEMBER.batch_number.desc())
    )
    return copy_out(connection, select, CUSTOMERS_TOLD)


def record_customers(  # noqa: PLR0913 - a batch has this many parts
    connection: sa.Connection,
    told: pl.DataFrame,
    *,
    tenant_key: str,
    format_name: str,
    batch_number: int,
    bill_day: dt.date,
    opened_at: dt.datetime,
    path: str,
    sha256: str,
) -> None:
    """Note the file a batch went out in, and the CUSTOMERS_TOLD by it."""
    connection.execute(
        sa.insert(customer_batches).values(
            tenant_key=tenant_key,
            format_name=format_name,
            batch_number=batch_number,
            bill_day=bill_day,
            opened_at=opened_at,
            customers=told.height,
            path=path,
            sha256=sha256,
        )
    )
    keys = {"tenant_key": tenant_key, "format_name": format_name, "batch_number": batch_number}
    members = told.select(CUSTOMERS_TOLD.names).with_columns(
        **{name: pl.lit(value) for name, value in keys.items()}
    )
    copy_in(connection, customer_batch_members, members)


def read_customer_batches(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """The tenant's CUSTOMER_BATCHES in order."""
    columns = [_BATCH[name] for name in CUSTOMER_BATCHES.names]
    select = sa.select(*columns).where(_BATCH.tenant_key == tenant_key)
    return copy_out(connection, select, CUSTOMER_BATCHES).sort("format_name", "batch_number")


def read_customer_batch(
    connection: sa.Connection, tenant_key: str, format_name: str, batch_number: int
) -> ExportedCustomers:
    """One batch of customers.

    Raises: NoSuchCustomerBatch.
    """
    columns = [_BATCH[name] for name in ExportedCustomers.__dataclass_fields__]
    row = connection.execute(
        sa.select(*columns).where(
            _BATCH.tenant_key == tenant_key,
            _BATCH.format_name == format_name,
            _BATCH.batch_number == batch_number,
        )
    ).first()
    if row is None:
        raise NoSuchCustomerBatch(
            f"{tenant_key} has handed over no customer batch {batch_number} for {format_name}; "
            f"billing handoff list {tenant_key} shows what there is"
        )
    return ExportedCustomers(**row._asdict())


def read_members(
    connection: sa.Connection, tenant_key: str, format_name: str, batch_number: int
) -> list[str]:
    """Account keys of one batch, in order."""
    select = (
        sa.select(_MEMBER.account_key)
        .where(
            _MEMBER.tenant_key == tenant_key,
            _MEMBER.format_name == format_name,
            _MEMBER.batch_number == batch_number,
        )
        .order_by(_MEMBER.account_key)
    )
    return list(connection.execute(select).scalars())
