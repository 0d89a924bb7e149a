"""Journal rows to the files of one accounting system, batch by batch."""

import datetime as dt

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch, HandoffFile, batch_of
from billing_pipeline.accounting.handoff.registry import handoff_format
from billing_pipeline.accounting.schema import JOURNAL
from billing_pipeline.customers.tenant import Tenant


def hand_off(
    journal: pl.DataFrame,
    tenant: Tenant,
    format_name: str,
    *,
    first_batch_number: int,
    created_at: dt.datetime,
) -> list[HandoffFile]:
    """Render entries not handed over yet: as many batches as the format's limits ask for.

    Args:
        journal: JOURNAL rows, in any order.
        tenant: whose books they are; its mapping names accounts as the target does.
        format_name: a name of `handoff_formats()`.
        first_batch_number: the next number of this tenant and format.
        created_at: instant of the hand-over; stored, so that a batch can be rendered again.

    Raises: UnknownFormat, MappingRefused, UnbalancedEntry; then nothing is rendered.
    """
    chosen = handoff_format(format_name)
    ordered = JOURNAL.conform(journal).sort("entry_number", "posting_number")
    if ordered.is_empty():
        return []
    return [
        render_batch(
            part,
            batch_of(
                part,
                tenant_key=tenant.key,
                format_name=format_name,
                batch_number=first_batch_number + offset,
                created_at=created_at,
            ),
            tenant,
        )
        for offset, part in enumerate(chosen.division(ordered, tenant))
    ]


def render_batch(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> HandoffFile:
    """Render one batch, for the first time or again: equal input, equal bytes."""
    chosen = handoff_format(batch.format_name)
    ordered = JOURNAL.conform(journal).sort("entry_number", "posting_number")
    content = chosen.render(ordered, batch, tenant)
    return HandoffFile(batch, chosen.file_name(batch), content)
