"""Issued documents: numbered without gaps, inserted once, never changed."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.books.copy import copy_in, copy_out
from billing_pipeline.books.schema import (
    ISSUED_INVOICES,
    ISSUED_LINES,
    ISSUED_TAXES,
    MISSING_DOCUMENTS,
    RECORDED_DOCUMENTS,
)
from billing_pipeline.books.tables import (
    documents,
    invoice_lines,
    invoice_number_series,
    invoice_taxes,
    invoices,
)
from billing_pipeline.invoicing.schema import INVOICE_LINES, INVOICE_TAXES


class DocumentChanged(Exception):
    """A document was rendered before, to other bytes; what went out is not replaced."""


def allot_numbers(
    connection: sa.Connection, tenant_key: str, series: str, year: int, count: int
) -> int:
    """Allot a block of `count` numbers and return the first.

    `year` is the year of the documents' bill day. Other issuers of the series wait for this
    transaction. It cannot commit before every number is on a document.
    """
    if count < 1:
        raise ValueError(f"a block of {count} numbers")
    insert = postgresql.insert(invoice_number_series).values(
        tenant_key=tenant_key, series=series, number_year=year, last_number=count
    )
    last_number = connection.execute(
        insert.on_conflict_do_update(
            index_elements=["tenant_key", "series", "number_year"],
            set_={"last_number": invoice_number_series.c.last_number + count},
        ).returning(invoice_number_series.c.last_number)
    ).scalar_one()
    return int(last_number) - count + 1


def issue_documents(
    connection: sa.Connection,
    tenant_key: str,
    numbered: pl.DataFrame,
    lines: pl.DataFrame,
    taxes: pl.DataFrame,
) -> None:
    """Insert documents with all their lines and taxes, for good.

    Shapes: ISSUED_INVOICES; INVOICE_LINES and INVOICE_TAXES, which find their document by
    invoice_key. On commit the sums of lines and taxes must be the documents' amounts.
    """
    issued = ISSUED_INVOICES.conform(numbered)
    tenant = pl.lit(tenant_key).alias("tenant_key")
    copy_in(connection, invoices, issued.with_columns(tenant))
    numbers = issued.select("invoice_key", "invoice_number")
    for table, rows, schema in (
        (invoice_lines, lines, INVOICE_LINES),
        (invoice_taxes, taxes, INVOICE_TAXES),
    ):
        with_number = schema.conform(rows).join(
            numbers, on="invoice_key", how="left", validate="m:1", maintain_order="left"
        )
        copy_in(connection, table, with_number.drop("invoice_key").with_columns(tenant))


def read_invoices(
    connection: sa.Connection,
    tenant_key: str,
    *,
    bill_day: dt.date | None = None,
    invoice_number: str | None = None,
) -> pl.DataFrame:
    """The ISSUED_INVOICES of a tenant, of one bill day or of one number, by number."""
    columns = [invoices.c[name] for name in ISSUED_INVOICES.names]
    select = sa.select(*columns).where(*_asked_for(tenant_key, bill_day, invoice_number))
    return copy_out(connection, select, ISSUED_INVOICES).sort("invoice_number")


def days_with_documents(
    connection: sa.Connection, tenant_key: str, days: Sequence[dt.date]
) -> list[dt.date]:
    """Those of some bill days on which documents were issued, in order."""
    issued = sa.select(invoices.c.bill_day).where(
        invoices.c.tenant_key == tenant_key, invoices.c.bill_day.in_(days)
    )
    return sorted(connection.execute(issued.distinct()).scalars())


def read_lines(
    connection: sa.Connection,
    tenant_key: str,
    *,
    bill_day: dt.date | None = None,
    invoice_number: str | None = None,
) -> pl.DataFrame:
    """The ISSUED_LINES of the same documents, by number and line."""
    select = (
        sa.select(
            invoice_lines.c.invoice_number,
            invoices.c.invoice_key,
            *(invoice_lines.c[name] for name in INVOICE_LINES.names if name != "invoice_key"),
        )
        .join(invoices, _of_document(invoice_lines))
        .where(*_asked_for(tenant_key, bill_day, invoice_number))
    )
    return copy_out(connection, select, ISSUED_LINES).sort("invoice_number", "line_number")


def read_taxes(
    connection: sa.Connection,
    tenant_key: str,
    *,
    bill_day: dt.date | None = None,
    invoice_number: str | None = None,
) -> pl.DataFrame:
    """The ISSUED_TAXES of the same documents, by number, code and rate."""
    select = (
        sa.select(
            invoice_taxes.c.invoice_number,
            invoices.c.invoice_key,
            *(invoice_taxes.c[name] for name in INVOICE_TAXES.names if name != "invoice_key"),
        )
        .join(invoices, _of_document(invoice_taxes))
        .where(*_asked_for(tenant_key, bill_day, invoice_number))
    )
    return copy_out(connection, select, ISSUED_TAXES).sort("invoice_number", "tax_code", "tax_rate")


def record_document(
    connection: sa.Connection,
    tenant_key: str,
    invoice_number: str,
    *,
    kind: str,
    path: str,
    sha256: str,
) -> None:
    """Note where a rendering of a document lies, with the digest of its bytes.

    Recording the same bytes again changes nothing.
    Raises: DocumentChanged.
    """
    rendered = pl.DataFrame(
        {"invoice_number": [invoice_number], "kind": [kind], "path": [path], "sha256": [sha256]}
    )
    record_documents(connection, tenant_key, rendered)


def record_documents(connection: sa.Connection, tenant_key: str, rendered: pl.DataFrame) -> None:
    """Note many renderings at once: a RECORDED_DOCUMENTS frame.

    Raises: DocumentChanged that names the first documents rendered to other bytes before.
    """
    rows = RECORDED_DOCUMENTS.conform(rendered)
    of_these = documents.c.invoice_number.in_(rows["invoice_number"].unique().to_list())
    before = copy_out(connection, _recorded(tenant_key).where(of_these), RECORDED_DOCUMENTS)
    known = rows.join(before, on=["invoice_number", "kind"], how="inner", validate="m:1")
    changed = known.filter(pl.col("sha256") != pl.col("sha256_right"))
    if changed.height:
        named = changed.select(pl.concat_str("invoice_number", "kind", separator=" "))
        raise DocumentChanged(
            f"{changed.height} document(s) were rendered to other bytes before: "
            f"{', '.join(named.to_series().head(5))}"
        )
    new = rows.join(before, on=["invoice_number", "kind"], how="anti")
    copy_in(connection, documents, new.with_columns(pl.lit(tenant_key).alias("tenant_key")))


def read_documents(
    connection: sa.Connection, tenant_key: str, *, invoice_number: str | None = None
) -> pl.DataFrame:
    """The RECORDED_DOCUMENTS of a tenant or of one number."""
    select = _recorded(tenant_key)
    if invoice_number is not None:
        select = select.where(documents.c.invoice_number == invoice_number)
    return copy_out(connection, select, RECORDED_DOCUMENTS).sort("invoice_number", "kind")


def missing_documents(connection: sa.Connection, tenant_key: str, kind: str) -> pl.DataFrame:
    """The MISSING_DOCUMENTS: issued, but not rendered as `kind` yet; the largest first."""
    lines = (
        sa.select(sa.func.count())
        .select_from(invoice_lines)
        .where(_of_document(invoice_lines))
        .correlate(invoices)
        .scalar_subquery()
    )
    rendered = sa.exists().where(_of_document(documents), documents.c.kind == kind)
    select = sa.select(
        invoices.c.invoice_number,
        invoices.c.invoice_key,
        invoices.c.account_key,
        invoices.c.bill_day,
        lines.label("lines"),
    ).where(invoices.c.tenant_key == tenant_key, ~rendered)
    found = copy_out(connection, select, MISSING_DOCUMENTS)
    return found.sort("lines", "invoice_number", descending=[True, False])


def _recorded(tenant_key: str) -> sa.Select[Any]:
    columns = [documents.c[name] for name in RECORDED_DOCUMENTS.names]
    return sa.select(*columns).where(documents.c.tenant_key == tenant_key)


def _of_document(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.tenant_key == invoices.c.tenant_key,
        table.c.invoice_number == invoices.c.invoice_number,
    )


def _asked_for(
    tenant_key: str, bill_day: dt.date | None, invoice_number: str | None
) -> list[sa.ColumnElement[bool]]:
    conditions = [invoices.c.tenant_key == tenant_key]
    if bill_day is not None:
        conditions.append(invoices.c.bill_day == bill_day)
    if invoice_number is not None:
        conditions.append(invoices.c.invoice_number == invoice_number)
    return conditions
