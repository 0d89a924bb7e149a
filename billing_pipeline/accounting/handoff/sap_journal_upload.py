"""SAP S/4HANA: app F2548 "Upload General Journal Entries", as xlsx.

Header fields repeat on every row of an entry, which a batch id holds together. General ledger
accounts only: the receivable goes to a clearing account of the chart (`ledger_accounts`).
Source: SAP Fiori apps library F2548; the field names are those of the tables behind the template,
which every system generates for itself: compare them with the tenant's own template first.
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import decimal_value, mapped_account, mapped_tax
from billing_pipeline.accounting.handoff.format import (
    HandoffFormat,
    by_rows,
    mapping_of,
    settings_of,
)
from billing_pipeline.accounting.handoff.sap_fields import SapSettings, cut
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.workbook import workbook_bytes

ROWS_PER_FILE = 999
_NAME = "sap_journal_upload"


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:
    """One row per posting.

    Raises: MappingRefused for missing settings.
    """
    mapping = mapping_of(tenant, _NAME)
    settings = settings_of(SapSettings, tenant, _NAME)
    currencies = journal.get_column("currency").unique()
    amount = pl.col("amount_minor")
    rows = journal.select(
        BATCHID=pl.col("entry_number"),
        BUKRS=pl.lit(settings.company_code),
        BLART=pl.lit(settings.document_type),
        BLDAT=pl.coalesce("belongs_to", "booked_date"),
        BUDAT=pl.col("booked_date"),
        BKTXT=cut("narration", 25),
        WAERS=pl.col("currency"),
        XBLNR=cut("source_key", 16),
        HKONT=mapped_account(mapping),
        SGTXT=cut("narration", 50),
        WRSOL=pl.when(amount > 0).then(decimal_value(amount, currencies)),
        WRHAB=pl.when(amount < 0).then(decimal_value(-amount, currencies)),
        MWSKZ=mapped_tax(mapping),
        KOSTL=pl.col("cost_centre"),
        ZUONR=cut("account_key", 18),
    )
    return workbook_bytes({"Journal Entries": rows}, batch.created_at)


FORMAT = HandoffFormat(
    name=_NAME,
    title="SAP S/4HANA journal upload",
    suffix=".xlsx",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    render=render,
    division=by_rows(ROWS_PER_FILE),
)
