"""Sage 50 UK: audit trail transactions, sales invoices (SI) and sales credits (SC).

No header. Amounts are always positive, the type says which way; customer and nominal accounts must
exist and have at most 8 characters; the rows of one invoice follow each other. Every tax needs its
T-code (`tax_codes`, e.g. S/20 -> T1). Discounts and foreign bank accounts cannot be imported.
Sources: Sage knowledge base 200427112357427, "Import audit trail transactions"; Making It Happen,
"Sage 50 CSV templates".
"""

import polars as pl

from billing_pipeline.accounting.chart import tax_key
from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import (
    decimal_text,
    mapped_account,
    mapped_customer,
    mapped_tax,
    refuse_other_currencies,
)
from billing_pipeline.accounting.handoff.format import HandoffFormat, mapping_of, refuse
from billing_pipeline.accounting.handoff.master_data import sage50_customers
from billing_pipeline.accounting.handoff.sales import sales_rows
from billing_pipeline.customers.tenant import Tenant

_NAME = "sage50_invoices"
_CODE_LENGTH = 8
_TEXT_LENGTH = 60


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:
    """One row per product and tax of a document.

    Raises: MappingRefused for other entries than documents, another currency, codes that are too
        long or a tax without T-code.
    """
    mapping = mapping_of(tenant, _NAME)
    refuse_other_currencies(journal, tenant.currency, "Sage 50")
    rows = sales_rows(journal, "Sage 50").with_columns(
        customer=mapped_customer(mapping),
        nominal=mapped_account(mapping),
        code=mapped_tax(mapping),
    )
    longest = pl.max_horizontal(pl.col("customer", "nominal").str.len_chars())
    refuse(
        rows,
        longest > _CODE_LENGTH,
        "Sage 50 accounts have at most 8 characters: map customers and ledger_accounts.",
    )
    refuse(
        rows,
        pl.col("code").is_null() | tax_key().is_null(),
        "Sage 50 wants a T-code for every tax: add tax_codes.",
    )
    refuse(
        rows,
        pl.col("net_minor") * pl.col("tax_minor").sign() < 0,
        "Sage 50 rows have one sign for net and tax.",
    )
    # A line given back on an invoice is a credit row, and the reverse.
    is_credit = pl.col("net_minor") < 0
    money = [tenant.currency]
    written = rows.select(
        pl.when(is_credit).then(pl.lit("SC")).otherwise(pl.lit("SI")).alias("Type"),
        pl.col("customer"),
        pl.col("nominal"),
        pl.coalesce("cost_centre", pl.lit("0")),
        pl.col("booked_date").dt.to_string("%d/%m/%Y"),
        pl.col("source_key"),
        pl.format("{} {}", "narration", "product_key").str.head(_TEXT_LENGTH).alias("details"),
        decimal_text(pl.col("net_minor").abs(), money).alias("net"),
        pl.col("code"),
        decimal_text(pl.col("tax_minor").abs(), money).alias("tax"),
        pl.lit("1").alias("rate"),
        pl.lit(batch.reference).alias("extra"),
    )
    text = written.write_csv(include_header=False, line_terminator="\r\n")
    return text.encode("cp1252", errors="replace")


FORMAT = HandoffFormat(
    name=_NAME,
    title="Sage 50 sales invoices",
    suffix=".csv",
    media_type="text/csv",
    render=render,
    customers=sage50_customers.LAYOUT,
)
