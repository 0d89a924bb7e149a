"""From an invoice line back to its charge, its prices and the usage files of its days."""

import datetime as dt
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_out
from billing_pipeline.books.invoices import read_lines
from billing_pipeline.books.schema import CHARGE_POSTINGS, LINE_FILES
from billing_pipeline.books.tables import charges, invoice_lines, invoices
from billing_pipeline.books.tables import usage_file_days as days
from billing_pipeline.books.tables import usage_files as files

# Usage days are UTC, service days local: no zone is further away than this.
_ZONE_SLACK = dt.timedelta(days=1)


class DocumentNotFound(Exception):
    """No document or line has this number here, or documents of several tenants have."""


@dataclass(frozen=True)
class Trace:
    """Where the lines of a document come from.

    `lines` ISSUED_LINES; `postings` CHARGE_POSTINGS, all of the lines' charges, later ones too;
    `files` LINE_FILES for lines with usage. Prices are those known at `issued_at`, when the
    catalog is read with `known_at=issued_at`.
    """

    tenant_key: str
    invoice_number: str
    issued_at: dt.datetime
    lines: pl.DataFrame
    postings: pl.DataFrame
    files: pl.DataFrame


def trace_line(
    connection: sa.Connection, invoice_number: str, line_number: int | None = None
) -> Trace:
    """Trace one line of a document, or all of them.

    Raises: DocumentNotFound.
    """
    found = connection.execute(
        sa.select(invoices.c.tenant_key, invoices.c.issued_at).where(
            invoices.c.invoice_number == invoice_number
        )
    ).all()
    if len(found) != 1:
        raise DocumentNotFound(
            f"{len(found)} documents are numbered {invoice_number}"
            + ("; ask in the scope of one tenant" if found else "")
        )
    tenant_key, issued_at = found[0]
    lines = read_lines(connection, tenant_key, invoice_number=invoice_number)
    if line_number is not None:
        lines = lines.filter(pl.col("line_number") == line_number)
        if lines.is_empty():
            raise DocumentNotFound(f"{invoice_number} has no line {line_number}")
    return Trace(
        tenant_key=tenant_key,
        invoice_number=invoice_number,
        issued_at=issued_at,
        lines=lines,
        postings=_postings(connection, tenant_key, lines.get_column("charge_key")),
        files=_files(connection, tenant_key, invoice_number, lines.get_column("line_number")),
    )


def _postings(connection: sa.Connection, tenant_key: str, charge_keys: pl.Series) -> pl.DataFrame:
    select = sa.select(*(charges.c[name] for name in CHARGE_POSTINGS.names)).where(
        charges.c.tenant_key == tenant_key, charges.c.charge_key.in_(charge_keys.to_list())
    )
    return copy_out(connection, select, CHARGE_POSTINGS).sort("charge_key", "posting_number")


def _files(
    connection: sa.Connection, tenant_key: str, invoice_number: str, line_numbers: pl.Series
) -> pl.DataFrame:
    owners = sa.select(sa.func.tenant_lineage(tenant_key)).scalar_subquery()
    line = invoice_lines.c
    select = (
        sa.select(
            line.line_number,
            files.c.file_key,
            files.c.tenant_key,
            files.c.feed_key,
            files.c.name,
            files.c.archive_path,
            files.c.landing_day,
        )
        .distinct()
        .join_from(
            invoice_lines,
            days,
            sa.and_(
                days.c.usage_day >= line.service_from - _ZONE_SLACK,
                days.c.usage_day < line.service_until + _ZONE_SLACK,
            ),
        )
        .join(files, files.c.file_id == days.c.file_id)
        .where(
            line.tenant_key == tenant_key,
            line.invoice_number == invoice_number,
            line.line_number.in_(line_numbers.to_list()),
            line.events > 0,
            days.c.tenant_key.in_(owners),
            files.c.state == "loaded",
        )
    )
    return copy_out(connection, select, LINE_FILES).sort("line_number", "landing_day", "name")
