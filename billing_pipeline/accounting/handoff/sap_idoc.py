"""SAP: accounting documents as IDoc ACC_DOCUMENT03 (BAPI_ACC_DOCUMENT_POST), XML.

One IDoc per entry: header, customer items (receivable), tax items (tax with a code in `tax_codes`,
its base beside it), G/L items (everything else), and one currency item for each. Debits positive,
credits negative, sum zero; dates as YYYYMMDD; at most 999 items a document.
Source: SAP, IDoc type ACC_DOCUMENT03 with segments E1BPACHE09, E1BPACAR09, E1BPACGL09,
E1BPACTX09, E1BPACCR09, and the documentation of BAPI_ACC_DOCUMENT_POST.
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import (
    decimal_text,
    mapped_account,
    mapped_customer,
    mapped_tax,
)
from billing_pipeline.accounting.handoff.format import (
    HandoffFormat,
    mapping_of,
    refuse,
    settings_of,
)
from billing_pipeline.accounting.handoff.master_data import sap_customers
from billing_pipeline.accounting.handoff.sap_fields import SapSettings, cut, segment
from billing_pipeline.customers.tenant import Tenant

ITEMS_PER_DOCUMENT = 999
_NAME = "sap_idoc"


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:
    """One IDoc per entry.

    Raises: MappingRefused for entries of more than 999 postings or missing settings.
    """
    settings = settings_of(SapSettings, tenant, _NAME)
    items = pl.len().over("entry_number")
    refuse(journal, items > ITEMS_PER_DOCUMENT, "SAP takes at most 999 items a document.")
    postings = journal.with_columns(
        number=pl.col("posting_number").rank("ordinal").over("entry_number").cast(pl.String),
    )
    segments = postings.group_by("entry_number", maintain_order=True).agg(
        header=_header(settings).first(),
        customers=_customer_item(tenant, settings).drop_nulls().str.join(""),
        ledger=_ledger_item(tenant, settings).drop_nulls().str.join(""),
        taxes=_tax_item(tenant).drop_nulls().str.join(""),
        amounts=_currency_item(journal).str.join(""),
    )
    document = pl.concat_str(
        pl.lit('<IDOC BEGIN="1">'),
        pl.lit(_control(batch)),
        pl.col("header"),
        pl.col("customers"),
        pl.col("ledger"),
        pl.col("taxes"),
        pl.col("amounts"),
        pl.lit("</IDOC>"),
    )
    documents = segments.select(document).to_series()
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<ACC_DOCUMENT03>", *documents]
    return "\n".join([*lines, "</ACC_DOCUMENT03>", ""]).encode()


def _control(batch: HandoffBatch) -> str:
    stamp = batch.created_at
    return (
        '<EDI_DC40 SEGMENT="1"><TABNAM>EDI_DC40</TABNAM><IDOCTYP>ACC_DOCUMENT03</IDOCTYP>'
        "<MESTYP>ACC_DOCUMENT</MESTYP><SNDPRT>LS</SNDPRT><SNDPRN>BILLING</SNDPRN>"
        f"<CREDAT>{stamp:%Y%m%d}</CREDAT><CRETIM>{stamp:%H%M%S}</CRETIM>"
        f"<SERIAL>{batch.batch_number:020d}</SERIAL></EDI_DC40>"
    )


def _header(settings: SapSettings) -> pl.Expr:
    return segment(
        "E1BPACHE09",
        BUS_ACT=pl.lit("RFBU"),
        USERNAME=pl.lit(settings.user_name),
        HEADER_TXT=cut("narration", 25),
        COMP_CODE=pl.lit(settings.company_code),
        DOC_DATE=pl.coalesce("belongs_to", "booked_date").dt.to_string("%Y%m%d"),
        PSTNG_DATE=pl.col("booked_date").dt.to_string("%Y%m%d"),
        DOC_TYPE=pl.lit(settings.document_type),
        REF_DOC_NO=cut("source_key", 16),
    )


def _customer_item(tenant: Tenant, settings: SapSettings) -> pl.Expr:
    item = segment(
        "E1BPACAR09",
        ITEMNO_ACC=pl.col("number"),
        CUSTOMER=mapped_customer(mapping_of(tenant, _NAME)),
        COMP_CODE=pl.lit(settings.company_code),
        BLINE_DATE=pl.col("booked_date").dt.to_string("%Y%m%d"),
        ALLOC_NMBR=cut("source_key", 18),
        ITEM_TEXT=cut("narration", 50),
    )
    return pl.when(pl.col("role") == "receivable").then(item)


def _ledger_item(tenant: Tenant, settings: SapSettings) -> pl.Expr:
    mapping = mapping_of(tenant, _NAME)
    item = segment(
        "E1BPACGL09",
        ITEMNO_ACC=pl.col("number"),
        GL_ACCOUNT=mapped_account(mapping),
        ITEM_TEXT=cut("narration", 50),
        COMP_CODE=pl.lit(settings.company_code),
        ALLOC_NMBR=cut("source_key", 18),
        TAX_CODE=mapped_tax(mapping).fill_null(""),
        COSTCENTER=pl.col("cost_centre").fill_null(""),
    )
    return pl.when((pl.col("role") != "receivable") & ~_is_tax_item(tenant)).then(item)


def _is_tax_item(tenant: Tenant) -> pl.Expr:
    has_code = mapped_tax(mapping_of(tenant, _NAME)).is_not_null()
    return (pl.col("role") == "tax") & has_code


def _tax_item(tenant: Tenant) -> pl.Expr:
    mapping = mapping_of(tenant, _NAME)
    item = segment(
        "E1BPACTX09",
        ITEMNO_ACC=pl.col("number"),
        GL_ACCOUNT=mapped_account(mapping),
        TAX_CODE=mapped_tax(mapping),
    )
    return pl.when(_is_tax_item(tenant)).then(item)


def _currency_item(journal: pl.DataFrame) -> pl.Expr:
    currencies = journal.get_column("currency").unique()
    return segment(
        "E1BPACCR09",
        ITEMNO_ACC=pl.col("number"),
        CURRENCY=pl.col("currency"),
        AMT_DOCCUR=decimal_text(pl.col("amount_minor"), currencies),
        AMT_BASE=decimal_text(pl.col("tax_base_minor"), currencies).fill_null(""),
    )


FORMAT = HandoffFormat(
    name=_NAME,
    title="SAP accounting documents, IDoc XML",
    suffix=".xml",
    media_type="application/xml",
    render=render,
    customers=sap_customers.LAYOUT,
)
