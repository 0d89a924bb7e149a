"""What waits for a person: asked once, decided once, by somebody else than who asked."""

import datetime as dt
from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.books.audit import log_decision
from billing_pipeline.books.copy import copy_out, staged
from billing_pipeline.books.decisions_schema import APPROVALS
from billing_pipeline.books.tables import approvals


class NotPending(Exception):
    """Nothing of this kind and subject waits for a decision."""


def request_approval(
    connection: sa.Connection,
    tenant_key: str,
    *,
    kind: str,
    subject: str,
    message: str,
    requested_by: str,
    requested_at: dt.datetime,
) -> str:
    """Ask once for a decision and return how it stands: pending, approved or refused."""
    insert = postgresql.insert(approvals).values(
        tenant_key=tenant_key,
        kind=kind,
        subject=subject,
        message=message,
        requested_by=requested_by,
        requested_at=requested_at,
    )
    connection.execute(insert.on_conflict_do_nothing())
    state = sa.select(approvals.c.state).where(*_of(tenant_key, kind, subject))
    return str(connection.execute(state).scalar_one())


def approve(
    connection: sa.Connection,
    tenant_key: str,
    *,
    kind: str,
    subject: str,
    approved_by: str,
    approved_at: dt.datetime,
    note: str,
) -> None:
    """Let what waits go on.

    Raises: NotPending; sqlalchemy's IntegrityError if the one who asked decides.
    """
    _decide(connection, (tenant_key, kind, subject), "approved", approved_by, approved_at, note)


def refuse(
    connection: sa.Connection,
    tenant_key: str,
    *,
    kind: str,
    subject: str,
    refused_by: str,
    refused_at: dt.datetime,
    note: str,
) -> None:
    """Stop what waits.

    Raises: NotPending; sqlalchemy's IntegrityError if the one who asked decides.
    """
    _decide(connection, (tenant_key, kind, subject), "refused", refused_by, refused_at, note)


def approval_states(
    connection: sa.Connection, tenant_key: str, kind: str, subjects: Sequence[str]
) -> dict[str, str]:
    """How those of some subjects stand that were asked about: pending, approved or refused."""
    asked = sa.select(approvals.c.subject, approvals.c.state).where(
        approvals.c.tenant_key == tenant_key,
        approvals.c.kind == kind,
        approvals.c.subject.in_(subjects),
    )
    return {row.subject: row.state for row in connection.execute(asked)}


def approve_all(  # noqa: PLR0913 - who asked and who agreed are two people
    connection: sa.Connection,
    tenant_key: str,
    questions: pl.DataFrame,
    *,
    kind: str,
    requested_by: str,
    approved_by: str,
    at: dt.datetime,
    note: str,
) -> int:
    """Ask for and give many approvals at once; return how many were not there before.

    Shape of `questions`: subject, message; one row per approval. What was asked before stays as
    it was decided.
    Raises: sqlalchemy's IntegrityError if one person asks and approves.
    """
    given = questions.with_columns(
        tenant_key=pl.lit(tenant_key),
        kind=pl.lit(kind),
        requested_at=pl.lit(at),
        requested_by=pl.lit(requested_by),
        state=pl.lit("approved"),
        decided_at=pl.lit(at),
        decided_by=pl.lit(approved_by),
        decision_note=pl.lit(note),
    )
    with staged(connection, given) as rows:
        insert = postgresql.insert(approvals).from_select(given.columns, sa.select(rows))
        new = connection.execute(insert.on_conflict_do_nothing()).rowcount
    subject = f"{new} of kind {kind}"
    log_decision(
        connection, tenant_key, actor=approved_by, action="approved", subject=subject, note=note
    )
    return new


def read_approvals(connection: sa.Connection, *states: str) -> pl.DataFrame:
    """All visible APPROVALS, or those in the given states."""
    select = sa.select(*(approvals.c[name] for name in APPROVALS.names))
    if states:
        select = select.where(approvals.c.state.in_(states))
    return copy_out(connection, select, APPROVALS).sort("requested_at", "tenant_key", "subject")


def _of(tenant_key: str, kind: str, subject: str) -> list[sa.ColumnElement[bool]]:
    return [
        approvals.c.tenant_key == tenant_key,
        approvals.c.kind == kind,
        approvals.c.subject == subject,
    ]


def _decide(
    connection: sa.Connection,
    key: tuple[str, str, str],
    state: str,
    decided_by: str,
    decided_at: dt.datetime,
    note: str,
) -> None:
    decided = connection.execute(
        sa.update(approvals)
        .where(*_of(*key), approvals.c.state == "pending")
        .values(state=state, decided_by=decided_by, decided_at=decided_at, decision_note=note)
    )
    tenant_key, kind, subject = key
    if decided.rowcount != 1:
        raise NotPending(f"no {kind} {subject} of {tenant_key} waits for a decision")
    log_decision(
        connection,
        tenant_key,
        actor=decided_by,
        action=state,
        subject=f"{kind} {subject}",
        note=note,
    )
