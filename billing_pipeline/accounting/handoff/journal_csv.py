"""The canonical journal as CSV: every column, one row per posting, UTF-8, RFC 4180.

Amounts stand twice: in whole minor units (debits positive) and as decimal text per side.
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import credit_text, debit_text
from billing_pipeline.accounting.handoff.format import HandoffFormat
from billing_pipeline.accounting.handoff.master_data import customers
from billing_pipeline.accounting.schema import JOURNAL
from billing_pipeline.customers.tenant import Tenant


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One row per posting, in entry order."""
    currencies = journal.get_column("currency").unique()
    rows = JOURNAL.conform(journal).with_columns(
        debit=debit_text(currencies), credit=credit_text(currencies)
    )
    return rows.write_csv().encode()


FORMAT = HandoffFormat(
    name="journal_csv",
    title="Canonical journal, CSV",
    suffix=".csv",
    media_type="text/csv",
    render=render,
    customers=customers.LAYOUT,
)
