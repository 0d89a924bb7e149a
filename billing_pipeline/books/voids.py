"""Documents that went out, and documents taken back before they did."""

import datetime as dt

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.billing_tables import invoice_deliveries, invoice_voids
from billing_pipeline.books.tables import charges

_POSTED = pl.Schema(
    {"charge_key": pl.String(), "account_key": pl.String(), "on_document": pl.Decimal(38, 10)}
)


def record_delivery(
    connection: sa.Connection,
    tenant_key: str,
    invoice_number: str,
    *,
    channel: str,
    delivered_at: dt.datetime,
    recorded_by: str,
) -> None:
    """Note that the customer has a document; from now on it can only be credited."""
    connection.execute(
        sa.insert(invoice_deliveries).values(
            tenant_key=tenant_key,
            invoice_number=invoice_number,
            channel=channel,
            delivered_at=delivered_at,
            recorded_by=recorded_by,
        )
    )


def channels_of(connection: sa.Connection, tenant_key: str, invoice_number: str) -> list[str]:
    """The ways by which a document went out, sorted; none if it did not."""
    column = invoice_deliveries.c.channel
    select = sa.select(column).where(
        invoice_deliveries.c.tenant_key == tenant_key,
        invoice_deliveries.c.invoice_number == invoice_number,
    )
    return sorted(connection.execute(select).scalars())


def record_void(
    connection: sa.Connection,
    tenant_key: str,
    invoice_number: str,
    *,
    credit_note_number: str,
    reason: str,
    voided_at: dt.datetime,
    voided_by: str,
) -> None:
    """Note that a document was taken back by a credit note, why, when and by whom."""
    connection.execute(
        sa.insert(invoice_voids).values(
            tenant_key=tenant_key,
            invoice_number=invoice_number,
            credit_note_number=credit_note_number,
            reason=reason,
            voided_at=voided_at,
            voided_by=voided_by,
        )
    )


def void_of(connection: sa.Connection, tenant_key: str, invoice_number: str) -> str | None:
    """Number of the credit note that took a document back; None if it stands."""
    select = sa.select(invoice_voids.c.credit_note_number).where(
        invoice_voids.c.tenant_key == tenant_key,
        invoice_voids.c.invoice_number == invoice_number,
    )
    found: str | None = connection.execute(select).scalar_one_or_none()
    return found


def postings_of(connection: sa.Connection, tenant_key: str, invoice_number: str) -> pl.DataFrame:
    """What a document posted: charge_key, account_key and difference, by charge."""
    columns = (charges.c.charge_key, charges.c.account_key, charges.c.difference)
    select = sa.select(*columns).where(
        charges.c.tenant_key == tenant_key, charges.c.invoice_number == invoice_number
    )
    rows = [tuple(row) for row in connection.execute(select.order_by(charges.c.charge_key))]
    return pl.DataFrame(rows, schema=_POSTED, orient="row")
