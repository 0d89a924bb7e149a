"""Take back a document that did not go out yet: a credit note in full, with its reason."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.schema import TO_POST
from billing_pipeline.books import charges as posted
from billing_pipeline.books import invoices, voids
from billing_pipeline.books.scope import Connection, lock_tenant, tenant_scope
from billing_pipeline.invoicing.issue import draft_documents
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import TenantFacts, read_facts
from billing_pipeline.orchestration.steps.issue import issue_drafts
from billing_pipeline.orchestration.tax_engines import engine_of


class CannotVoid(Exception):
    """A document that cannot be taken back, with the reason and what to do instead."""


def void_invoice(
    installation: Installation,
    tenant_key: str,
    invoice_number: str,
    *,
    reason: str,
    voided_by: str,
    now: dt.datetime,
) -> str:
    """Credit a document in full, to the tax it carries; its charges come again when still owed.

    Returns the number of the credit note.
    Raises: CannotVoid if there is no reason or document, it was delivered, or it is void already.
    """
    if not reason.strip():
        raise CannotVoid(f"{invoice_number}: say why, with --reason")
    facts = read_facts(installation, tenant_key)
    with tenant_scope(installation.engine, tenant_key) as connection:
        lock_tenant(connection, tenant_key)
        _may_be_voided(connection, tenant_key, invoice_number)
        number = _credit_in_full(connection, facts, invoice_number, now)
        voids.record_void(
            connection,
            tenant_key,
            invoice_number,
            credit_note_number=number,
            reason=reason.strip(),
            voided_at=now,
            voided_by=voided_by,
        )
    return number


def note_delivery(
    installation: Installation,
    tenant_key: str,
    invoice_number: str,
    *,
    channel: str,
    recorded_by: str,
    now: dt.datetime,
) -> None:
    """Note that the customer has a document.

    Raises: CannotVoid if there is no such document, or it is void.
    """
    with tenant_scope(installation.engine, tenant_key) as connection:
        _known(connection, tenant_key, invoice_number)
        credit_note = voids.void_of(connection, tenant_key, invoice_number)
        if credit_note is not None:
            raise CannotVoid(f"{invoice_number} is void by {credit_note}; do not send it")
        voids.record_delivery(
            connection,
            tenant_key,
            invoice_number,
            channel=channel,
            delivered_at=now,
            recorded_by=recorded_by,
        )


def _known(connection: Connection, tenant_key: str, invoice_number: str) -> pl.DataFrame:
    document = invoices.read_invoices(connection, tenant_key, invoice_number=invoice_number)
    if document.is_empty():
        raise CannotVoid(f"{tenant_key} has no document {invoice_number!r}")
    return document


def _may_be_voided(connection: Connection, tenant_key: str, invoice_number: str) -> None:
    document = _known(connection, tenant_key, invoice_number)
    if document["document_kind"][0] != "invoice":
        raise CannotVoid(f"{invoice_number} is a credit note; only invoices can be taken back")
    credit_note = voids.void_of(connection, tenant_key, invoice_number)
    if credit_note is not None:
        raise CannotVoid(f"{invoice_number} is void already, by {credit_note}")
    channels = voids.channels_of(connection, tenant_key, invoice_number)
    if channels:
        raise CannotVoid(
            f"{invoice_number} was delivered by {', '.join(channels)}: the customer has it. "
            "Correct what it rests on, and the next bill run credits the difference"
        )


def _credit_in_full(
    connection: Connection, facts: TenantFacts, invoice_number: str, now: dt.datetime
) -> str:
    bill_day = now.astimezone(facts.tenant.zone).date()
    taken_back = _taken_back(connection, facts.tenant.key, invoice_number)
    # One document is taken back by one, whatever the tenant does with corrections.
    whole = facts.tenant.billing_policy.model_copy(update={"corrections": "with_next"})
    drafts = draft_documents(
        taken_back,
        facts.accounts,
        facts.tenant.model_copy(update={"billing_policy": whole}),
        facts.catalog.tax_rates,
        bill_day,
        fx_rates=facts.catalog.fx_rates,
        engine=engine_of(facts.tenant),
    )
    original = invoices.read_invoices(connection, facts.tenant.key, invoice_number=invoice_number)
    if drafts.invoices["total_minor"].to_list() != [-original["total_minor"][0]]:
        raise CannotVoid(
            f"{invoice_number} cannot be credited to the cent: its tax rates or accounts were "
            "changed since. Put them back as they were and try again"
        )
    issue_drafts(connection, facts, drafts, taken_back, bill_day, now)
    (key,) = drafts.invoices["invoice_key"].to_list()
    issued = invoices.read_invoices(connection, facts.tenant.key, bill_day=bill_day)
    number: str = issued.filter(pl.col("invoice_key") == key)["invoice_number"][0]
    return number


def _taken_back(connection: Connection, tenant_key: str, invoice_number: str) -> pl.DataFrame:
    """What the document posted as TO_POST with the other sign; other postings stay as they are."""
    on_document = voids.postings_of(connection, tenant_key, invoice_number)
    sums = posted.posted_charges(connection, tenant_key, on_document["account_key"])
    withdrawn = sums.join(
        on_document.select("charge_key", "on_document"), on="charge_key", validate="1:1"
    ).with_columns(
        amount=pl.col("posted_amount") - pl.col("on_document"),
        difference=-pl.col("on_document"),
        posted_quantity=pl.col("quantity"),
        posting_number=pl.col("postings") + 1,
        corrects_invoice=pl.lit(invoice_number),
        reason=pl.lit("withdrawn"),
    )
    return TO_POST.conform(withdrawn.select(TO_POST.names))
