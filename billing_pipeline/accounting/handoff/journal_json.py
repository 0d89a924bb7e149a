"""The canonical journal as one JSON document: the batch, then its entries with postings.

Amounts are whole minor units, debits positive; rates are decimal text.
"""

import json

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.format import HandoffFormat
from billing_pipeline.accounting.schema import JOURNAL, JOURNAL_ENTRIES, POSTINGS
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.money import plain_text

_ENTRY = ["entry_number", *JOURNAL_ENTRIES.names]
_POSTING = [name for name in POSTINGS.names if name not in JOURNAL_ENTRIES.names]


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One object per entry, in entry order."""
    postings = JOURNAL.conform(journal).with_columns(
        plain_text(pl.col("tax_rate")).alias("tax_rate")
    )
    entries = postings.group_by(_ENTRY, maintain_order=True).agg(postings=pl.struct(_POSTING))
    head = {
        "reference": batch.reference,
        "created_at": batch.created_at.isoformat(),
        "first_entry_number": batch.first_entry_number,
        "last_entry_number": batch.last_entry_number,
        "totals": [vars(total) for total in batch.totals],
    }
    content = f'{{"batch": {json.dumps(head)},\n"entries": {entries.write_json()}}}\n'
    return content.encode()


FORMAT = HandoffFormat(
    name="journal_json",
    title="Canonical journal, JSON",
    suffix=".json",
    media_type="application/json",
    render=render,
)
