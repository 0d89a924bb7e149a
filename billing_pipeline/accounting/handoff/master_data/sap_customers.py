"""SAP: customers as IDoc DEBMAS06, XML: general data (KNA1) and company-code data (KNB1).

The reconciliation account is the receivable account of the tenant's chart; the account group is a
setting. S/4HANA takes DEBMAS through its customer-vendor integration, which makes the business
partner. Customer numbers have up to 10 characters and stand here as in the journal; SAP keeps
numeric ones filled with zeros, so map them so where its inbound conversion does not.
Source: SAP, IDoc type DEBMAS06, segments E1KNA1M and E1KNB1M (fields and lengths).
"""

import polars as pl

from billing_pipeline.accounting.handoff.format import mapping_of, settings_of
from billing_pipeline.accounting.handoff.master_data.customers import refuse_customers
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch, CustomerLayout
from billing_pipeline.accounting.handoff.sap_fields import SapSettings, segment
from billing_pipeline.customers.tenant import Tenant

_NAME = "sap_idoc"
_NUMBER, _TEXT, _REGION = 10, 35, 3


def render(customers: pl.DataFrame, batch: CustomerBatch, tenant: Tenant) -> bytes:
    """One IDoc per customer.

    Raises: MappingRefused for customer numbers of more than 10 characters or missing settings.
    """
    settings = settings_of(SapSettings, tenant, _NAME)
    refuse_customers(
        customers,
        pl.col("customer").str.len_chars() > _NUMBER,
        "SAP takes customer numbers of up to 10 characters: map customers.",
    )
    account = tenant.ledger_accounts.receivable
    receivable = mapping_of(tenant, _NAME).ledger_accounts.get(account, account)
    document = pl.concat_str(
        pl.lit('<IDOC BEGIN="1">'),
        pl.lit(_control(batch)),
        _general_data(settings),
        segment("E1KNB1M", BUKRS=pl.lit(settings.company_code), AKONT=pl.lit(receivable)),
        pl.lit("</E1KNA1M></IDOC>"),
    )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<DEBMAS06>"]
    documents = customers.select(document).to_series()
    return "\n".join([*lines, *documents, "</DEBMAS06>", ""]).encode()


def _control(batch: CustomerBatch) -> str:
    stamp = batch.created_at
    return (
        '<EDI_DC40 SEGMENT="1"><TABNAM>EDI_DC40</TABNAM><IDOCTYP>DEBMAS06</IDOCTYP>'
        "<MESTYP>DEBMAS</MESTYP><SNDPRT>LS</SNDPRT><SNDPRN>BILLING</SNDPRN>"
        f"<CREDAT>{stamp:%Y%m%d}</CREDAT><CRETIM>{stamp:%H%M%S}</CRETIM>"
        f"<SERIAL>{batch.batch_number:020d}</SERIAL></EDI_DC40>"
    )


def _general_data(settings: SapSettings) -> pl.Expr:
    """The segment of the customer, left open for those below it.

    SAP's regions are codes of up to three characters; a region written out is left to SAP.
    """
    region = pl.col("region")
    whole = segment(
        "E1KNA1M",
        MSGFN=pl.lit("005"),
        KUNNR=pl.col("customer"),
        KTOKD=pl.lit(settings.customer_account_group),
        LAND1=pl.col("country"),
        NAME1=pl.col("name").str.head(_TEXT),
        NAME2=pl.col("name").str.slice(_TEXT, _TEXT),
        ORT01=pl.col("city").str.head(_TEXT),
        PSTLZ=pl.col("postal_code").str.head(_NUMBER),
        REGIO=pl.when(region.str.len_chars() <= _REGION).then(region).fill_null(""),
        SORTL=pl.col("name").str.head(_NUMBER),
        STRAS=pl.col("street").str.head(_TEXT),
        STCEG=pl.col("vat_number").str.head(20).fill_null(""),
        SPRAS_ISO=pl.col("language").str.head(2).str.to_uppercase(),
    )
    return whole.str.strip_suffix("</E1KNA1M>")


LAYOUT = CustomerLayout(title="SAP customers, IDoc XML", suffix=".xml", render=render)
