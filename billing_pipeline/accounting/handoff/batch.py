"""A hand-off batch: which entries one file holds, and the totals that prove it."""

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass

import polars as pl

from billing_pipeline.accounting.journal import assert_balanced


@dataclass(frozen=True)
class CurrencyTotal:
    """Control totals of one currency, both positive minor units."""

    currency: str
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True)
class HandoffBatch:
    """What one file holds. `batch_number` is gapless per tenant and format.

    `created_at` is stored with the batch, so that rendering it again gives the same bytes.
    """

    tenant_key: str
    format_name: str
    batch_number: int
    created_at: dt.datetime
    first_entry_number: int
    last_entry_number: int
    entries: int
    postings: int
    totals: tuple[CurrencyTotal, ...]

    @property
    def reference(self) -> str:
        """Name of the batch for people and for the target system."""
        return f"{self.tenant_key}-{self.format_name}-{self.batch_number:06d}"


@dataclass(frozen=True)
class HandoffFile:
    """A rendered batch. The hash tells whether a file still is the one handed over."""

    batch: HandoffBatch
    file_name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """64 hex digits over the file's bytes."""
        return hashlib.sha256(self.content).hexdigest()

    def manifest(self) -> bytes:
        """The batch with its control totals and the file's hash, as JSON for people and scripts."""
        facts = {
            **asdict(self.batch),
            "created_at": self.batch.created_at.isoformat(),
            "file_name": self.file_name,
            "bytes": len(self.content),
            "sha256": self.sha256,
        }
        return json.dumps(facts, indent=2, ensure_ascii=False).encode() + b"\n"


def batch_of(
    journal: pl.DataFrame,
    *,
    tenant_key: str,
    format_name: str,
    batch_number: int,
    created_at: dt.datetime,
) -> HandoffBatch:
    """The batch of these JOURNAL rows with its control totals.

    Raises: ValueError if there is no row; UnbalancedEntry if an entry does not balance.
    """
    if journal.is_empty():
        raise ValueError("a hand-off batch needs at least one journal entry")
    assert_balanced(journal)
    numbers = journal.get_column("entry_number")
    return HandoffBatch(
        tenant_key=tenant_key,
        format_name=format_name,
        batch_number=batch_number,
        created_at=created_at,
        first_entry_number=int(numbers.sort()[0]),
        last_entry_number=int(numbers.sort()[-1]),
        entries=numbers.n_unique(),
        postings=journal.height,
        totals=_totals(journal),
    )


def _totals(journal: pl.DataFrame) -> tuple[CurrencyTotal, ...]:
    amount = pl.col("amount_minor")
    totals = (
        journal.group_by("currency")
        .agg(
            debit=amount.filter(amount > 0).sum(),
            credit=-amount.filter(amount < 0).sum(),
        )
        .sort("currency")
    )
    return tuple(CurrencyTotal(*row) for row in totals.rows())
