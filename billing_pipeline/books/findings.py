"""What controls found: open until a later run finds it gone or a person accepts it."""

import datetime as dt
from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.assurance.schema import FINDINGS
from billing_pipeline.books.audit import log_decision
from billing_pipeline.books.copy import copy_out, staged
from billing_pipeline.books.schema import KEPT_FINDINGS
from billing_pipeline.books.tables import findings as kept


class NoSuchFinding(Exception):
    """There is no open finding of this control about this subject."""


def record_findings(
    connection: sa.Connection,
    tenant_key: str,
    found: pl.DataFrame,
    *,
    controls: Sequence[str],
    seen_at: dt.datetime,
) -> None:
    """Keep the FINDINGS of one run of `controls` for a tenant (empty: the installation).

    Open findings of these controls that the run no longer has are resolved. A resolved one that
    comes back is open again; an accepted one stays accepted while its message is the same.
    """
    rows = FINDINGS.conform(found).unique(["control", "subject"], keep="first", maintain_order=True)
    _resolve_the_gone(connection, tenant_key, rows, controls, seen_at)
    if rows.is_empty():
        return
    with staged(connection, rows) as new:
        insert = postgresql.insert(kept).from_select(
            ["tenant_key", "first_seen_at", "last_seen_at", *FINDINGS.names],
            sa.select(
                sa.literal(tenant_key, sa.Text),
                *[sa.literal(seen_at, sa.DateTime(timezone=True))] * 2,
                *new.columns,
            ),
        )
        still = sa.and_(kept.c.state == "accepted", kept.c.message == insert.excluded.message)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["tenant_key", "control", "subject"],
                set_={
                    "severity": insert.excluded.severity,
                    "message": insert.excluded.message,
                    "last_seen_at": seen_at,
                    "sightings": kept.c.sightings + 1,
                    "state": sa.case((still, "accepted"), else_="open"),
                    "decided_by": sa.case((still, kept.c.decided_by), else_=None),
                    "decision_note": sa.case((still, kept.c.decision_note), else_=None),
                    "resolved_at": None,
                },
            )
        )


def accept_finding(
    connection: sa.Connection,
    tenant_key: str,
    *,
    control: str,
    subject: str,
    accepted_by: str,
    note: str,
) -> None:
    """Let an open finding stand; who decided and why is kept.

    Raises: NoSuchFinding.
    """
    accepted = connection.execute(
        sa.update(kept)
        .where(
            kept.c.tenant_key == tenant_key,
            kept.c.control == control,
            kept.c.subject == subject,
            kept.c.state == "open",
        )
        .values(state="accepted", decided_by=accepted_by, decision_note=note)
    )
    if accepted.rowcount != 1:
        raise NoSuchFinding(f"{control} has no open finding about {subject}")
    log_decision(
        connection,
        tenant_key,
        actor=accepted_by,
        action="accepted",
        subject=f"{control} {subject}",
        note=note,
    )


def read_findings(connection: sa.Connection, *states: str) -> pl.DataFrame:
    """All visible KEPT_FINDINGS, or those in the given states."""
    select = sa.select(*(kept.c[name] for name in KEPT_FINDINGS.names))
    if states:
        select = select.where(kept.c.state.in_(states))
    return copy_out(connection, select, KEPT_FINDINGS).sort("tenant_key", "control", "subject")


def _resolve_the_gone(
    connection: sa.Connection,
    tenant_key: str,
    rows: pl.DataFrame,
    controls: Sequence[str],
    seen_at: dt.datetime,
) -> None:
    with staged(connection, rows.select("control", "subject")) as seen:
        still_there = sa.exists().where(
            seen.c.control == kept.c.control, seen.c.subject == kept.c.subject
        )
        connection.execute(
            sa.update(kept)
            .where(
                kept.c.tenant_key == tenant_key,
                kept.c.control.in_(controls),
                kept.c.state != "resolved",
                ~still_there,
            )
            .values(state="resolved", resolved_at=seen_at, decided_by=None, decision_note=None)
        )
