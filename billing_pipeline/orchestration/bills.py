"""Look at a bill day before it is issued, and decide about it."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.billing.preview import previewed_accounts
from billing_pipeline.books import approvals, drafts, due
from billing_pipeline.books.restated import APPROVED_ACCOUNT
from billing_pipeline.books.scope import Connection, tenant_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.compute import compute_bill_day
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.review import (
    APPROVED_RUN,
    reviewed_day,
)


class NothingWaits(Exception):
    """Nobody asked for a decision about this."""


@dataclass(frozen=True)
class Preview:
    """What a bill day would post: PREVIEWED_ACCOUNTS, outliers first, and what is asked."""

    tenant_key: str
    bill_day: dt.date
    currency: str
    accounts_due: int
    accounts: pl.DataFrame
    waiting: pl.DataFrame

    @property
    def amount(self) -> Decimal:
        """Net amount that would be posted, in major units."""
        of_post = self.accounts.filter(pl.col("way") == "post")
        return Decimal(of_post["amount"].sum() or 0)


def preview_bill_day(
    installation: Installation, tenant_key: str, bill_day: dt.date, now: dt.datetime
) -> Preview:
    """Compute a bill day by the code that bills it, and post nothing.

    What is shown is kept: the next preview of the day says what changed since.
    """
    facts = read_facts(installation, tenant_key)
    computed = compute_bill_day(installation, facts, bill_day)
    with tenant_scope(installation.engine, tenant_key) as connection:
        reviewed = reviewed_day(connection, facts, computed, bill_day)
        accounts = previewed_accounts(
            reviewed.review,
            drafts.last_bills(connection, tenant_key, bill_day),
            drafts.read_previews(connection, tenant_key, bill_day),
        )
        shown = accounts.with_columns(bill_day=pl.lit(bill_day))
        drafts.keep_previews(connection, tenant_key, bill_day, shown, now)
    return Preview(
        tenant_key=tenant_key,
        bill_day=bill_day,
        currency=facts.tenant.currency,
        accounts_due=len(computed.account_keys),
        accounts=accounts,
        waiting=reviewed.waiting,
    )


@dataclass(frozen=True)
class Decision:
    """What a person decided about a bill day or one account of it."""

    tenant_key: str
    bill_day: dt.date
    account_key: str | None
    is_approved: bool
    decided_by: str
    reason: str


def decide(installation: Installation, decision: Decision, now: dt.datetime) -> str:
    """Record a decision about what was asked last, and return what it was about.

    What was asked earlier about the same thing is refused: it is not what would be posted now.
    An approved bill day is asked for again by the schedule; an approved account is due again on
    the tenant's next bill day.
    Raises: NothingWaits.
    """
    kind = APPROVED_RUN if decision.account_key is None else APPROVED_ACCOUNT
    about = decision.account_key or decision.bill_day.isoformat()
    with tenant_scope(installation.engine, decision.tenant_key) as connection:
        waiting = approvals.read_approvals(connection, "pending").filter(
            (pl.col("tenant_key") == decision.tenant_key)
            & (pl.col("kind") == kind)
            & (pl.col("subject").str.split("/").list.first() == about)
        )
        if waiting.is_empty():
            raise NothingWaits(f"nothing of {decision.tenant_key} {about} waits for a decision")
        *outdated, latest = waiting.sort("requested_at")["subject"].to_list()
        for subject in outdated:
            _refuse(connection, decision, kind, subject, "outdated", now)
        if not decision.is_approved:
            _refuse(connection, decision, kind, latest, decision.reason, now)
            return str(latest)
        approvals.approve(
            connection,
            decision.tenant_key,
            kind=kind,
            subject=latest,
            approved_by=decision.decided_by,
            approved_at=now,
            note=decision.reason,
        )
        if decision.account_key is None:
            due.ask_again(connection, decision.tenant_key, decision.bill_day)
    return str(latest)


def _refuse(
    connection: Connection,
    decision: Decision,
    kind: str,
    subject: str,
    note: str,
    now: dt.datetime,
) -> None:
    approvals.refuse(
        connection,
        decision.tenant_key,
        kind=kind,
        subject=subject,
        refused_by=decision.decided_by,
        refused_at=now,
        note=note,
    )
