"""Record money received and debts given up: settle, book and keep it in one transaction."""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from billing_pipeline.accounting.journal import merged
from billing_pipeline.accounting.payments import journal_for_payments, realised_exchange
from billing_pipeline.accounting.periods import in_open_periods
from billing_pipeline.books import invoices, journal, payments, periods
from billing_pipeline.books.audit import log_decision
from billing_pipeline.books.payments_schema import SETTLED
from billing_pipeline.books.scope import Connection, lock_tenant, tenant_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import TenantFacts
from billing_pipeline.receivables.open_items import open_items
from billing_pipeline.receivables.payments import allocated
from billing_pipeline.receivables.schema import PAYMENTS

_SAME = ["kind", "account_key", "received_on", "currency", "amount_minor", "reference"]


class PaymentChanged(Exception):
    """A payment was recorded before with other content; what was booked stays."""


class UnknownDocument(Exception):
    """A payment names a document the account does not owe in its currency."""


@dataclass(frozen=True)
class Received:
    """What recording came to: payments that are new, known before, and documents they settle."""

    new: int
    known: int
    settled: pl.DataFrame


def record_payments(
    installation: Installation,
    facts: TenantFacts,
    handed_in: pl.DataFrame,
    *,
    recorded_by: str,
    now: dt.datetime,
) -> Received:
    """Record PAYMENTS once: handing a file in again changes nothing.

    Money without a document to settle stays on the account, and settles what is issued later as
    soon as payments are recorded again.
    Raises: PaymentChanged, UnknownDocument, UnknownLedgerAccount, UnknownRate.
    """
    tenant_key = facts.tenant.key
    with tenant_scope(installation.engine, tenant_key) as connection:
        lock_tenant(connection, tenant_key)
        before = payments.read_payments(connection, tenant_key)
        new = _not_recorded(handed_in, before)
        documents = invoices.read_invoices(connection, tenant_key)
        _refuse_unknown_documents(new, documents)
        settled_before = payments.read_settled(connection, tenant_key)
        money = pl.concat([new, _left_over(before, settled_before)])
        settled = _settled(money, documents, settled_before)
        recorded = new.with_columns(
            recorded_by=pl.lit(recorded_by), recorded_at=pl.lit(now).dt.convert_time_zone("UTC")
        )
        payments.record_payments(connection, tenant_key, recorded, SETTLED.conform(settled))
        _book(connection, facts, new, settled)
        for key, kind in new.select("payment_key", "kind").rows():
            log_decision(
                connection, tenant_key, actor=recorded_by, action=kind, subject=f"payment {key}"
            )
    return Received(new.height, handed_in.height - new.height, SETTLED.conform(settled))


def _not_recorded(handed_in: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    known = handed_in.join(before, on="payment_key", how="inner", validate="1:1")
    differs = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_right") for name in _SAME)
    changed = known.filter(differs)["payment_key"].to_list()
    if changed:
        raise PaymentChanged(
            f"recorded before with other content: {', '.join(changed[:5])}; give what is new a "
            "payment_key of its own"
        )
    return PAYMENTS.conform(handed_in.join(before, on="payment_key", how="anti"))


def _refuse_unknown_documents(new: pl.DataFrame, documents: pl.DataFrame) -> None:
    named = new.filter(pl.col("invoice_number").is_not_null())
    on = ["invoice_number", "account_key", "currency"]
    unknown = named.join(documents, on=on, how="anti")
    if not unknown.is_empty():
        key, number, account = unknown.select("payment_key", "invoice_number", "account_key").row(0)
        raise UnknownDocument(
            f"payment {key} names {number}, which account {account} does not owe in this "
            "currency; leave invoice_number empty to settle what is due first"
        )


def _left_over(before: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """Earlier payments as PAYMENTS with what they have not settled yet."""
    used = settled.group_by("payment_key").agg(used=pl.col("amount_minor").sum())
    left = (
        before.join(used, on="payment_key", how="left", validate="1:1")
        .with_columns(
            amount_minor=pl.col("amount_minor") - pl.col("used").fill_null(0),
            invoice_number=pl.lit(None, pl.String),
        )
        .filter(pl.col("amount_minor") > 0)
    )
    return PAYMENTS.conform(left)


def _settled(
    money: pl.DataFrame, documents: pl.DataFrame, settled_before: pl.DataFrame
) -> pl.DataFrame:
    """ALLOCATIONS with the day they count from, and what books exchange gains."""
    made = allocated(money, open_items(documents, settled_before))
    facts = documents.select("invoice_number", issued_date="bill_day")
    of_money = money.select("payment_key", "account_key", "kind", "currency", "received_on")
    return (
        made.join(of_money, on="payment_key", how="left", validate="m:1")
        .join(facts, on="invoice_number", how="left", validate="m:1")
        .with_columns(allocated_on=pl.max_horizontal("received_on", "issued_date"))
    )


def _book(
    connection: Connection, facts: TenantFacts, new: pl.DataFrame, settled: pl.DataFrame
) -> None:
    booked = merged(
        [
            journal_for_payments(new, facts.tenant, facts.accounts),
            realised_exchange(settled, facts.tenant),
        ]
    )
    known = periods.read_periods(connection, facts.tenant.key)
    journal.book(connection, facts.tenant.key, *in_open_periods(booked, known))
