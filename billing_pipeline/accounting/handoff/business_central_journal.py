"""Dynamics 365 Business Central: general journal lines for a configuration package, as xlsx.

One row per posting; an entry balances per document number and posting date. Receivable rows are of
account type Customer, all others G/L Account. The posting-type and VAT group fields stay out: tax
is posted by us. An empty currency code means the company's own currency.
Source: learn.microsoft.com, table 81 "Gen. Journal Line" (names and lengths).
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.business_central_settings import (
    NAME,
    BusinessCentralSettings,
)
from billing_pipeline.accounting.handoff.fields import (
    decimal_value,
    mapped_account,
    mapped_customer,
)
from billing_pipeline.accounting.handoff.format import (
    HandoffFormat,
    mapping_of,
    refuse,
    settings_of,
)
from billing_pipeline.accounting.handoff.master_data import business_central_customers
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.workbook import workbook_bytes

_DOCUMENT_LENGTH = 20
_TEXT_LENGTH = 100
_LINE_STEP = 10_000


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:
    """One row per posting.

    Raises: MappingRefused for document and account numbers of more than 20 characters.
    """
    mapping = mapping_of(tenant, NAME)
    settings = settings_of(BusinessCentralSettings, tenant, NAME)
    currencies = journal.get_column("currency").unique()
    is_debtor = pl.col("role") == "receivable"
    account = pl.when(is_debtor).then(mapped_customer(mapping)).otherwise(mapped_account(mapping))
    document = pl.format("{}-{}", pl.lit(tenant.key.upper()), "entry_number")
    refuse(
        journal,
        pl.max_horizontal(account.str.len_chars(), document.str.len_chars()) > _DOCUMENT_LENGTH,
        "Business Central takes document and account numbers of up to 20 characters.",
    )
    is_foreign = pl.col("currency") != tenant.currency
    is_invoice, is_credit = (pl.col("posting_rule") == rule for rule in ("invoice", "credit_note"))
    rows = journal.select(
        pl.lit(settings.journal_template).alias("Journal Template Name"),
        pl.lit(settings.journal_batch).alias("Journal Batch Name"),
        (pl.int_range(1, pl.len() + 1) * _LINE_STEP).alias("Line No."),
        pl.col("booked_date").alias("Posting Date"),
        pl.when(is_invoice)
        .then(pl.lit("Invoice"))
        .when(is_credit)
        .then(pl.lit("Credit Memo"))
        .alias("Document Type"),
        document.alias("Document No."),
        pl.col("source_key").alias("External Document No."),
        pl.when(is_debtor)
        .then(pl.lit("Customer"))
        .otherwise(pl.lit("G/L Account"))
        .alias("Account Type"),
        account.alias("Account No."),
        pl.col("narration").str.head(_TEXT_LENGTH).alias("Description"),
        pl.when(is_foreign).then("currency").alias("Currency Code"),
        decimal_value(pl.col("amount_minor"), currencies).alias("Amount"),
        pl.when(is_debtor).then("due_date").alias("Due Date"),
        pl.col("cost_centre").alias("Shortcut Dimension 1 Code"),
    )
    return workbook_bytes({"Gen. Journal Line": rows}, batch.created_at)


FORMAT = HandoffFormat(
    name=NAME,
    title="Business Central general journal",
    suffix=".xlsx",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    render=render,
    customers=business_central_customers.LAYOUT,
)
