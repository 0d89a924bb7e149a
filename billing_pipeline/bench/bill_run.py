"""Budget 4: a bill run of many accounts on Postgres, reconciled, numbered, booked; and again."""

import datetime as dt
from pathlib import Path

import polars as pl

from billing_pipeline.bench.contest import Clock, NotRight
from billing_pipeline.bench.installations import apply, own_installation
from billing_pipeline.bench.tenant_folder import (
    BILL_DAY,
    CHARGES_PER_ACCOUNT,
    TENANT,
    write_billed_tenant,
)
from billing_pipeline.books import charges, due, invoices, journal
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.bill_days import billable_days
from billing_pipeline.orchestration.steps.compute import compute_bill_day, keep_charges
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.issue import issue_bill_day

NOW = dt.datetime.combine(BILL_DAY, dt.time(12), tzinfo=dt.UTC)
TOTAL_MINOR = 12_000
"""Ten fees of 10.00 and 20 % tax."""


def run(folder: Path, scratch: Path, clock: Clock, accounts: str) -> None:
    """Bill every account, check the books, bill again."""
    del folder
    with own_installation() as installation:
        write_billed_tenant(scratch / "tenants" / TENANT, int(accounts))
        with clock.phase("apply"):
            apply(installation, scratch / "tenants" / TENANT)
        _bill(installation, clock, "")
        _check(installation, int(accounts), clock)
        first = dict(clock.counts)
        _bill(installation, clock, "again: ")
        _check(installation, int(accounts), clock)
        if clock.counts != first:
            raise NotRight(f"the second run changed the books: {first} -> {clock.counts}")


def _bill(installation: Installation, clock: Clock, which: str) -> None:
    with clock.phase(f"{which}read facts"):
        facts = read_facts(installation, TENANT)
        with installation_scope(installation.engine) as connection:
            due.plan_bill_days(connection, NOW)
            days = due.due_bill_days(connection, limit=1000)["bill_day"].sort().to_list()
        list(billable_days(installation, facts, [day for day in days if day != BILL_DAY], NOW))
    with clock.phase(f"{which}compute"):
        computed = compute_bill_day(installation, facts, BILL_DAY)
    with clock.phase(f"{which}keep"):
        keep_charges(installation, TENANT, BILL_DAY, computed)
    with clock.phase(f"{which}reconcile, issue, number, book"):
        issue_bill_day(installation, facts, BILL_DAY, NOW)


def _check(installation: Installation, accounts: int, clock: Clock) -> None:
    """Every account has its one invoice of the right sum, and the journal balances.

    Raises: NotRight.
    """
    with tenant_scope(installation.engine, TENANT) as connection:
        documents = invoices.read_invoices(connection, TENANT, bill_day=BILL_DAY)
        posted = charges.posted_charges(connection, TENANT, documents["account_key"])
        booked = journal.read_journal(connection, TENANT)
    numbers = documents["invoice_number"].str.extract(r"(\d+)$").cast(pl.Int64)
    found = {
        "invoices": documents.height,
        "charges": posted.height,
        "total_minor": int(documents["total_minor"].sum()),
        "journal_entries": booked["entry_number"].n_unique(),
        "balance_minor": int(booked["amount_minor"].sum()),
        "numbers_without_gap": len(
            numbers.unique().filter(numbers.unique().is_between(1, accounts))
        ),
    }
    expected = {
        "invoices": accounts,
        "charges": accounts * CHARGES_PER_ACCOUNT,
        "total_minor": accounts * TOTAL_MINOR,
        "journal_entries": accounts,
        "balance_minor": 0,
        "numbers_without_gap": accounts,
    }
    if found != expected:
        raise NotRight(f"the books hold {found}, expected {expected}")
    clock.counts.update(found)
