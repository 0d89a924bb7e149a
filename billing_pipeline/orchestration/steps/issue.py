"""Issue a bill day: post the difference, draw up documents, number and keep them at once."""

import datetime as dt
from dataclasses import dataclass, replace

import polars as pl

from billing_pipeline.accounting.periods import in_open_periods
from billing_pipeline.accounting.posting_rules import journal_for_documents
from billing_pipeline.assurance.schema import FINDINGS
from billing_pipeline.books import charges as posted
from billing_pipeline.books import due, findings, invoices, journal, payments, periods
from billing_pipeline.books.conservation import gate_problems
from billing_pipeline.books.scope import Connection, lock_tenant, tenant_scope
from billing_pipeline.invoicing.issue import Drafts, draft_documents
from billing_pipeline.invoicing.numbering import document_number
from billing_pipeline.invoicing.schema import HELD as HELD_FRAME
from billing_pipeline.invoicing.schema import INVOICES
from billing_pipeline.invoicing.terms import with_agreed_terms
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.assure import stopping_controls
from billing_pipeline.orchestration.steps.bill_days import accounts_due
from billing_pipeline.orchestration.steps.compute import ComputedCharges, read_charges
from billing_pipeline.orchestration.steps.facts import TenantFacts
from billing_pipeline.orchestration.steps.review import (
    may_issue,
    record_review,
    reviewed_day,
)
from billing_pipeline.orchestration.tax_engines import engine_of

HELD = "account_held"


class NotReconciled(Exception):
    """Usage the bill would rest on is not complete; nothing was issued."""


class StoppedByControl(NotReconciled):
    """A control found something that forbids billing the tenant; nothing was issued."""


@dataclass(frozen=True)
class IssuedDay:
    """What one tenant's bill day came to. Amounts in minor units.

    A day that waits for a person has issued nothing, and nor must any day after it.
    """

    accounts: int
    invoices: int
    credit_notes: int
    lines: int
    net_minor: int
    total_minor: int
    currency: str
    is_waiting: bool = False


def issue_bill_day(
    installation: Installation, facts: TenantFacts, bill_day: dt.date, now: dt.datetime
) -> IssuedDay:
    """Post what differs, issue the documents and book them, in one transaction.

    Running it again finds the day completed and issues nothing. What the tenant's policy holds or
    puts before a person is left out, and comes again. An account whose document cannot be drawn
    up, or whom a control stops, is held with a finding; the others go on.
    Raises: NotReconciled if a usage day behind the bill does not balance or is not computed;
    StoppedByControl if a control stops the whole tenant.
    """
    tenant_key = facts.tenant.key
    computed = read_charges(installation, tenant_key, bill_day)
    account_keys = computed.account_keys
    if account_keys.is_empty() and accounts_due(installation, facts, bill_day).len():
        raise NotReconciled(
            f"{tenant_key} {bill_day}: no charges were computed, nothing was issued. "
            "Run the bill day from `charges` on"
        )
    with tenant_scope(installation.engine, tenant_key) as connection:
        lock_tenant(connection, tenant_key)
        if due.is_bill_day_completed(connection, tenant_key, bill_day):
            return _issued_before(connection, facts, bill_day, len(account_keys))
        if account_keys.is_empty():
            due.complete_bill_day(connection, tenant_key, bill_day, completed_at=now, invoices=0)
            return _summary(facts, INVOICES.empty(), 0, 0)
        _same_revision(facts, computed, bill_day)
        _pass_gate(connection, tenant_key, computed.charges, bill_day)
        stopped = _stopped_accounts(connection, facts, bill_day)
        reviewed = reviewed_day(
            connection, facts, computed, bill_day, stopped=stopped["account_key"]
        )
        record_review(connection, tenant_key, reviewed, account_keys, now)
        if not may_issue(connection, tenant_key, facts.tenant.billing_policy, reviewed, now):
            return replace(_summary(facts, INVOICES.empty(), 0, len(account_keys)), is_waiting=True)
        to_post = reviewed.review.post
        drafts = draft_documents(
            to_post,
            facts.accounts,
            facts.tenant,
            facts.catalog.tax_rates,
            bill_day,
            fx_rates=facts.catalog.fx_rates,
            engine=engine_of(facts.tenant),
        )
        issue_drafts(connection, facts, drafts, to_post, bill_day, now)
        held = pl.concat([drafts.held, HELD_FRAME.conform(stopped)])
        findings.record_findings(
            connection,
            tenant_key,
            _held(held),
            controls=[HELD],
            seen_at=now,
            among=account_keys,
        )
        due.complete_bill_day(
            connection, tenant_key, bill_day, completed_at=now, invoices=drafts.invoices.height
        )
    return _summary(facts, drafts.invoices, drafts.lines.height, len(account_keys))


def note_failure(
    installation: Installation, tenant_key: str, bill_day: dt.date, error: Exception
) -> None:
    """Count a failed attempt, so that the day is asked for again under a new run key."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        due.fail_bill_day(connection, tenant_key, bill_day, message=str(error))


def _same_revision(facts: TenantFacts, computed: ComputedCharges, bill_day: dt.date) -> None:
    if computed.revision != facts.revision:
        raise NotReconciled(
            f"{facts.tenant.key} {bill_day}: revision {facts.revision} was applied after the "
            f"charges were computed from revision {computed.revision}; nothing was issued. "
            "Run the bill day again"
        )


def _pass_gate(
    connection: Connection, tenant_key: str, computed: pl.DataFrame, bill_day: dt.date
) -> None:
    if computed.is_empty():
        return
    # Usage that is not rated yet has made no usage charge: every charge's period counts.
    first = dt.date.fromisoformat(str(computed["service_from"].min()))
    problems = gate_problems(connection, tenant_key, first, bill_day)
    if not problems.is_empty():
        raise NotReconciled(
            f"{tenant_key} {bill_day}: usage is not complete, nothing was issued. "
            f"Mediate and rate the days named, then run the bill day again:\n{problems}"
        )


def _stopped_accounts(
    connection: Connection, facts: TenantFacts, bill_day: dt.date
) -> pl.DataFrame:
    """Accounts that a control stops, with all that share their document: HELD rows.

    Raises: StoppedByControl if it is the whole tenant.
    """
    stops = stopping_controls(connection, facts.tenant.key)
    of_tenant = stops.filter(pl.col("account_key").is_null())
    if not of_tenant.is_empty():
        control, subject, message = of_tenant.select("control", "subject", "message").row(0)
        raise StoppedByControl(
            f"{facts.tenant.key} {bill_day}: nothing was issued, {of_tenant.height} finding(s) "
            f"stop the tenant, first {control} {subject}: {message} Mend it, or let it stand: "
            f"billing findings accept."
        )
    payers = facts.accounts.select("account_key", "payer_key")
    stopped = (
        stops.join(payers, on="account_key", how="inner")
        .group_by("payer_key")
        .agg(detail=pl.format("{} {}: {}", "control", "subject", "message").sort().first())
    )
    return payers.join(stopped, on="payer_key", how="inner", validate="m:1").select(
        "account_key",
        "detail",
        bill_day=pl.lit(bill_day),
        reason=pl.lit("stopped_by_control"),
        lines=pl.lit(0, pl.Int64),
    )


def issue_drafts(
    connection: Connection,
    facts: TenantFacts,
    drafts: Drafts,
    to_post: pl.DataFrame,
    bill_day: dt.date,
    now: dt.datetime,
) -> None:
    """Number the drafts, keep and book them, and post their charges: all in one transaction."""
    if drafts.invoices.is_empty():
        return
    tenant_key = facts.tenant.key
    due_as_agreed = with_agreed_terms(drafts, facts.subscriptions).invoices
    numbered = _numbered(connection, facts, due_as_agreed, bill_day).with_columns(
        issued_at=pl.lit(now).dt.convert_time_zone("UTC")
    )
    invoices.issue_documents(connection, tenant_key, numbered, drafts.lines, drafts.taxes)
    payments.state_balances(connection, tenant_key, numbered["invoice_number"].to_list())
    booked = in_open_periods(
        journal_for_documents(numbered, drafts.lines, drafts.taxes, facts.tenant, facts.accounts),
        periods.read_periods(connection, tenant_key),
    )
    journal.book(connection, tenant_key, *booked)
    on_document = drafts.lines.select(
        "invoice_key", "charge_key", "posting_number", "line_number", "net_minor"
    ).join(numbered.select("invoice_key", "invoice_number"), on="invoice_key", validate="m:1")
    posted.post_charges(
        connection,
        tenant_key,
        bill_day,
        to_post.join(on_document, on=["charge_key", "posting_number"], validate="1:1"),
    )


def _held(held: pl.DataFrame) -> pl.DataFrame:
    """Accounts that were left out, as findings for people."""
    return FINDINGS.conform(
        held.select(
            control=pl.lit(HELD),
            severity=pl.lit("block"),
            subject=pl.col("account_key"),
            message=pl.format(
                "{}: {}; nothing was issued to it on {}", "reason", "detail", "bill_day"
            ),
        )
    )


def _numbered(
    connection: Connection, facts: TenantFacts, drafts: pl.DataFrame, bill_day: dt.date
) -> pl.DataFrame:
    """Give each document the next number of its series, in the order of their keys."""
    tenant = facts.tenant
    patterns = {
        "invoice": tenant.invoice_series.pattern,
        "credit_note": tenant.credit_note_series.pattern,
    }
    numbered = []
    for kind, pattern in patterns.items():
        own = drafts.filter(pl.col("document_kind") == kind).sort("invoice_key")
        if own.is_empty():
            continue
        first = invoices.allot_numbers(connection, tenant.key, kind, bill_day.year, own.height)
        names = [
            document_number(pattern, bill_day.year, number)
            for number in range(first, first + own.height)
        ]
        numbered.append(own.with_columns(invoice_number=pl.Series(names), series=pl.lit(kind)))
    return pl.concat(numbered)


def _issued_before(
    connection: Connection, facts: TenantFacts, bill_day: dt.date, accounts: int
) -> IssuedDay:
    """What the day issued when it was billed; a completed day never issues again."""
    documents = invoices.read_invoices(connection, facts.tenant.key, bill_day=bill_day)
    lines = invoices.read_lines(connection, facts.tenant.key, bill_day=bill_day)
    return _summary(facts, documents, lines.height, accounts)


def _summary(facts: TenantFacts, documents: pl.DataFrame, lines: int, accounts: int) -> IssuedDay:
    kinds = documents["document_kind"]
    return IssuedDay(
        accounts=accounts,
        invoices=int((kinds == "invoice").sum()),
        credit_notes=int((kinds == "credit_note").sum()),
        lines=lines,
        net_minor=int(documents["net_minor"].sum()),
        total_minor=int(documents["total_minor"].sum()),
        currency=facts.tenant.currency,
    )
