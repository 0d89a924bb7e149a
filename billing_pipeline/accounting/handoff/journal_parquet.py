"""The canonical journal as Parquet: every column with its own type, for warehouses and BI."""

import io

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.format import HandoffFormat
from billing_pipeline.accounting.schema import JOURNAL
from billing_pipeline.customers.tenant import Tenant


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One row per posting, in entry order."""
    content = io.BytesIO()
    JOURNAL.conform(journal).write_parquet(content, compression="zstd")
    return content.getvalue()


FORMAT = HandoffFormat(
    name="journal_parquet",
    title="Canonical journal, Parquet",
    suffix=".parquet",
    media_type="application/vnd.apache.parquet",
    render=render,
)
