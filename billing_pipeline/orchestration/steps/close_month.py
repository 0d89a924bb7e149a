"""Close a month: accrue, release, revalue, book it all, and shut the period, all at once."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from billing_pipeline.accounting.chart import has_role
from billing_pipeline.accounting.journal import Journal, merged, reversal_of
from billing_pipeline.accounting.month_end import (
    accrual_of_supplier_cost,
    accrual_of_unbilled_revenue,
    release_of_deferred_revenue,
)
from billing_pipeline.accounting.periods import (
    PeriodRefused,
    State,
    in_open_periods,
    monthly_periods,
    with_state,
)
from billing_pipeline.accounting.repeats import as_next, beyond_booked
from billing_pipeline.accounting.revaluation import RULE as REVALUATION
from billing_pipeline.accounting.revaluation import revaluation_of_receivables
from billing_pipeline.accounting.schema import FISCAL_PERIODS
from billing_pipeline.accounting.unbilled import unbilled_charges
from billing_pipeline.books import charges as posted
from billing_pipeline.books import due, invoices, journal, payments, periods
from billing_pipeline.books.audit import log_decision
from billing_pipeline.books.scope import Connection, lock_tenant, tenant_scope
from billing_pipeline.invoicing.issue import draft_documents
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.compute import scan_rated_usage
from billing_pipeline.orchestration.steps.facts import TenantFacts, billing_facts, read_tenant
from billing_pipeline.orchestration.steps.intercompany import RULE as INTERCOMPANY
from billing_pipeline.orchestration.steps.intercompany import book_intercompany
from billing_pipeline.receivables.open_items import open_items
from billing_pipeline.vocabulary.periods import boundary_on, local_day

ACCRUALS = ("revenue_accrual", "cost_accrual")
_LOOK_BACK = dt.timedelta(days=400)


@dataclass(frozen=True)
class ClosedMonth:
    """What closing a month booked, by posting rule, and what state it left."""

    first_day: dt.date
    state: str
    booked: dict[str, int]


def close_month(
    installation: Installation, facts: TenantFacts, first_day: dt.date, *, closed_by: str
) -> ClosedMonth:
    """Book a month's end and close its period in one transaction.

    Charges in advance are released as far as they were earned, unbilled revenue and supplier cost
    are accrued and taken back on the next day, receivables in foreign currency are revalued. Run
    again after a reopening it books the difference.
    Raises: PeriodRefused while a bill day of the month is not completed, an earlier month is open
    or the month is not open itself.
    """
    tenant_key = facts.tenant.key
    next_month = boundary_on(first_day, "month", 1)
    between = book_intercompany(installation, facts.tenant, next_month - ONE_DAY)
    rated = scan_rated_usage(installation, tenant_key, first_day - _LOOK_BACK, next_month + ONE_DAY)
    with tenant_scope(installation.engine, tenant_key) as connection:
        lock_tenant(connection, tenant_key)
        known = _periods_through(connection, tenant_key, first_day)
        closed = with_state(known, first_day, "closed")
        _refuse_unbilled_days(connection, tenant_key, next_month)
        periods.keep_periods(connection, tenant_key, known, changed_by=closed_by)
        entries = _month_end(connection, facts, rated, next_month - ONE_DAY)
        journal.book(connection, tenant_key, *entries)
        periods.keep_periods(connection, tenant_key, closed, changed_by=closed_by)
        _log(connection, tenant_key, "closed", first_day, closed_by)
    counted = entries.entries.group_by("posting_rule").len().sort("posting_rule").rows()
    booked = {str(rule): int(number) for rule, number in counted}
    return ClosedMonth(
        first_day, "closed", {**booked, **({INTERCOMPANY: between} if between else {})}
    )


def change_period(
    installation: Installation,
    tenant_key: str,
    first_day: dt.date,
    state: State,
    *,
    changed_by: str,
) -> None:
    """Reopen or lock a period.

    Raises: PeriodRefused.
    """
    with tenant_scope(installation.engine, tenant_key) as connection:
        changed = with_state(periods.read_periods(connection, tenant_key), first_day, state)
        periods.keep_periods(connection, tenant_key, changed, changed_by=changed_by)
        _log(
            connection,
            tenant_key,
            "locked" if state == "locked" else "reopened",
            first_day,
            changed_by,
        )


def read_periods(installation: Installation, tenant_key: str) -> pl.DataFrame:
    """A tenant's FISCAL_PERIODS in order."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        return periods.read_periods(connection, tenant_key)


def month_to_close(installation: Installation, tenant_key: str, now: dt.datetime) -> dt.date | None:
    """First day of last month where the tenant wants it closed by today and it is open still."""
    tenant = read_tenant(installation, tenant_key)
    today = now.astimezone(tenant.zone).date()
    if tenant.month_end.close_on_day is None or today.day < tenant.month_end.close_on_day:
        return None
    last_month = boundary_on(today.replace(day=1), "month", -1)
    states = dict(read_periods(installation, tenant_key).select("first_day", "state").rows())
    return last_month if states.get(last_month, "open") == "open" else None


def _log(
    connection: Connection, tenant_key: str, action: str, first_day: dt.date, actor: str
) -> None:
    subject = f"fiscal period {first_day:%Y-%m}"
    log_decision(connection, tenant_key, actor=actor, action=action, subject=subject)


def _periods_through(connection: Connection, tenant_key: str, first_day: dt.date) -> pl.DataFrame:
    """The tenant's periods, with what is missing from the first bookings to the next month."""
    known = periods.read_periods(connection, tenant_key)
    booked = journal.first_booked_on(connection, tenant_key)
    begins = min(booked.replace(day=1) if booked else first_day, first_day)
    months = (first_day.year - begins.year) * 12 + first_day.month - begins.month + 2
    wanted = monthly_periods(begins, months)
    missing = wanted.join(known, on="first_day", how="anti")
    return FISCAL_PERIODS.conform(pl.concat([known, missing]).sort("first_day"))


def _refuse_unbilled_days(connection: Connection, tenant_key: str, until: dt.date) -> None:
    waiting = due.due_bill_days(connection, tenant_key=tenant_key, limit=1)
    if not waiting.is_empty() and waiting.item(0, "bill_day") < until:
        raise PeriodRefused(
            f"bill day {waiting.item(0, 'bill_day')} of {tenant_key} is not completed: run it "
            "first, so that the month is whole"
        )


def _month_end(
    connection: Connection, facts: TenantFacts, rated: pl.LazyFrame, month_end: dt.date
) -> Journal:
    booked = journal.read_journal(connection, facts.tenant.key)
    totals = merged(list(_accruals(connection, facts, rated, month_end)))
    accrued = beyond_booked(
        totals,
        booked.filter(
            pl.col("posting_rule").is_in(ACCRUALS),
            pl.col("source_key").str.starts_with(f"{month_end:%Y-%m}"),
        ),
    )
    taken_back = reversal_of(accrued, month_end + ONE_DAY)
    differences = merged(list(_differences(connection, facts, booked, month_end)))
    all_periods = periods.read_periods(connection, facts.tenant.key)
    return in_open_periods(merged([accrued, taken_back, as_next(differences, booked)]), all_periods)


def _accruals(
    connection: Connection, facts: TenantFacts, rated: pl.LazyFrame, month_end: dt.date
) -> Iterator[Journal]:
    """What a month's end comes to in total; taken back on the next day."""
    tenant = facts.tenant
    if has_role(tenant, "accrued_revenue"):
        billed = posted.posted_charges(
            connection, tenant.key, facts.accounts["account_key"], billed_by=month_end
        )
        to_post = unbilled_charges(billing_facts(facts, rated), billed, month_end)
        drafts = draft_documents(
            to_post, facts.accounts, tenant, facts.catalog.tax_rates, month_end
        )
        yield accrual_of_unbilled_revenue(drafts.lines, month_end, tenant)
    if has_role(tenant, "supplier_accrual"):
        day = local_day(pl.col("started_at"), tenant.time_zone)
        of_month = rated.filter(day >= month_end.replace(day=1), day <= month_end)
        yield accrual_of_supplier_cost(of_month, month_end, tenant)


def _differences(
    connection: Connection, facts: TenantFacts, booked: pl.DataFrame, month_end: dt.date
) -> Iterator[Journal]:
    """What is due by the month's end less what earlier months booked of it; it stays."""
    tenant = facts.tenant
    so_far = booked.filter(pl.col("booked_date") <= month_end)
    if has_role(tenant, "deferred_revenue"):
        lines = invoices.read_lines(connection, tenant.key)
        yield release_of_deferred_revenue(lines, so_far, month_end, tenant)
    if has_role(tenant, "receivable_revaluation"):
        settled = payments.read_settled(connection, tenant.key)
        items = open_items(
            invoices.read_invoices(connection, tenant.key),
            settled.filter(pl.col("allocated_on") <= month_end),
        )
        earlier = so_far.filter(pl.col("posting_rule") == REVALUATION)
        yield revaluation_of_receivables(items, earlier, month_end, tenant)
