"""What controls found: open until a later run finds it gone or a person accepts it."""

import datetime as dt
from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.assurance.schema import ACCOUNT_FINDINGS, FINDINGS
from billing_pipeline.books.audit import log_decision
from billing_pipeline.books.copy import copy_out, staged
from billing_pipeline.books.decisions_schema import KEPT_FINDINGS
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
    among: pl.Series | None = None,
) -> None:
    """Keep what one run of `controls` found for a tenant (empty: the installation).

    `found` is FINDINGS, or ACCOUNT_FINDINGS where a finding stops one account only. Open
    findings of these controls that the run no longer has are resolved; where the run looked at
    some subjects only, `among` names them and the others are left alone. A resolved one that
    comes back is open again; an accepted one stays accepted while its message is the same.
    """
    rows = _once(found)
    _resolve_the_gone(connection, tenant_key, rows, controls, seen_at, among)
    if rows.is_empty():
        return
    with staged(connection, rows) as new:
        insert = postgresql.insert(kept).from_select(
            ["tenant_key", "first_seen_at", "last_seen_at", *ACCOUNT_FINDINGS.names],
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
                    "account_key": insert.excluded.account_key,
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


def assign_finding(
    connection: sa.Connection,
    tenant_key: str,
    *,
    control: str,
    subject: str,
    assigned_to: str | None = None,
    note: str | None = None,
) -> None:
    """Say who looks after an open finding, or what is known about it; what is not given stays.

    Raises: NoSuchFinding.
    """
    told = {"assigned_to": assigned_to, "assignment_note": note}
    changed = connection.execute(
        sa.update(kept)
        .where(
            kept.c.tenant_key == tenant_key,
            kept.c.control == control,
            kept.c.subject == subject,
            kept.c.state != "resolved",
        )
        .values({name: value for name, value in told.items() if value is not None})
    )
    if changed.rowcount != 1:
        raise NoSuchFinding(f"{control} has no open finding about {subject}")


def stops(connection: sa.Connection, tenant_key: str, controls: Sequence[str]) -> pl.DataFrame:
    """What stops a tenant's issue: its open blocking findings of `controls`.

    Columns control, subject, message, account_key; without an account it is the whole tenant.
    """
    columns = [kept.c[name] for name in ("control", "subject", "message", "account_key")]
    select = sa.select(*columns).where(
        kept.c.tenant_key == tenant_key,
        kept.c.state == "open",
        kept.c.severity == "block",
        kept.c.control.in_(controls),
    )
    schema = pl.Schema({column.name: pl.String() for column in columns})
    return copy_out(connection, select, schema).sort("control", "subject")


def read_findings(connection: sa.Connection, *states: str) -> pl.DataFrame:
    """All visible KEPT_FINDINGS, or those in the given states."""
    select = sa.select(*(kept.c[name] for name in KEPT_FINDINGS.names))
    if states:
        select = select.where(kept.c.state.in_(states))
    return copy_out(connection, select, KEPT_FINDINGS).sort("tenant_key", "control", "subject")


def _once(found: pl.DataFrame) -> pl.DataFrame:
    """ACCOUNT_FINDINGS with one row per control and subject."""
    rows = found
    if "account_key" not in rows.columns:
        rows = FINDINGS.conform(rows).with_columns(account_key=pl.lit(None, pl.String))
    return ACCOUNT_FINDINGS.conform(rows).unique(
        ["control", "subject"], keep="first", maintain_order=True
    )


def _resolve_the_gone(
    connection: sa.Connection,
    tenant_key: str,
    rows: pl.DataFrame,
    controls: Sequence[str],
    seen_at: dt.datetime,
    among: pl.Series | None,
) -> None:
    looked_at = sa.true() if among is None else kept.c.subject.in_(among.to_list())
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
                looked_at,
                ~still_there,
            )
            .values(state="resolved", resolved_at=seen_at, decided_by=None, decision_note=None)
        )
