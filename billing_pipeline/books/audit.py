"""The log of what people decided: appended, never changed, kept."""

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_out
from billing_pipeline.books.decisions_schema import AUDIT_LOG
from billing_pipeline.books.tables import audit_log


def log_decision(
    connection: sa.Connection,
    tenant_key: str,
    *,
    actor: str,
    action: str,
    subject: str,
    note: str = "",
) -> None:
    """Append who did what to what, and why, in the transaction that does it."""
    connection.execute(
        sa.insert(audit_log).values(
            tenant_key=tenant_key, actor=actor, action=action, subject=subject, note=note
        )
    )


def read_audit_log(connection: sa.Connection, tenant_key: str | None = None) -> pl.DataFrame:
    """The AUDIT_LOG of one tenant or of all visible ones, oldest first."""
    select = sa.select(*(audit_log.c[name] for name in AUDIT_LOG.names))
    if tenant_key is not None:
        select = select.where(audit_log.c.tenant_key == tenant_key)
    return copy_out(connection, select, AUDIT_LOG).sort("audit_number")
