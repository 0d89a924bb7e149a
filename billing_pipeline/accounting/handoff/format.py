"""What a hand-off format is, and how it refuses what the target system could not take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import polars as pl
from pydantic import ValidationError

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.master_data.layout import CustomerLayout
from billing_pipeline.customers.tenant import HandoffMapping, Tenant
from billing_pipeline.vocabulary.configuration import Configuration

Render = Callable[[pl.DataFrame, HandoffBatch, Tenant], bytes]
Division = Callable[[pl.DataFrame, Tenant], Sequence[pl.DataFrame]]
Settings = TypeVar("Settings", bound=Configuration)


class MappingRefused(Exception):
    """The journal names something the target system has no name for; nothing was rendered."""


def whole(journal: pl.DataFrame, tenant: Tenant) -> Sequence[pl.DataFrame]:  # noqa: ARG001
    """One file takes the whole journal, whoever the tenant is."""
    return [journal]


@dataclass(frozen=True)
class HandoffFormat:
    """One accounting system's import file.

    `render` is a pure function of JOURNAL rows, batch and tenant: equal input, equal bytes.
    `division` cuts a journal into parts one file may hold, never through an entry. `customers`
    is how the system takes the customers its files name.
    """

    name: str
    title: str
    suffix: str
    media_type: str
    render: Render
    division: Division = whole
    prefix: str = ""
    customers: CustomerLayout | None = None

    def file_name(self, batch: HandoffBatch) -> str:
        """Name of the batch's file."""
        return f"{self.prefix}{batch.reference}{self.suffix}"


def mapping_of(tenant: Tenant, format_name: str) -> HandoffMapping:
    """The tenant's names in the target system; empty if the tenant declares none."""
    return tenant.handoff_mappings.get(format_name, HandoffMapping())


def settings_of(model: type[Settings], tenant: Tenant, format_name: str) -> Settings:
    """The tenant's settings for a format, checked.

    Raises: MappingRefused that names every setting to mend.
    """
    try:
        return model.model_validate(mapping_of(tenant, format_name).settings)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
        )
        raise MappingRefused(
            f"mend handoff_mappings.{format_name}.settings in tenant.yaml: {problems}"
        ) from None


def refuse(rows: pl.DataFrame, wrong: pl.Expr, message: str) -> None:
    """Stop if any row of a journal is `wrong`, naming its entries.

    Raises: MappingRefused with the message and the first entries it concerns.
    """
    entries = rows.filter(wrong).select("entry_number", "source_key").unique(maintain_order=True)
    if not entries.is_empty():
        named = ", ".join(f"{number} ({source})" for number, source in entries.head(5).rows())
        raise MappingRefused(f"{message} Entries concerned: {entries.height}, first: {named}.")


def by_rows(limit: int) -> Division:
    """Cut a journal into parts of at most `limit` postings, between entries.

    Raises: MappingRefused at an entry that alone is longer.
    """

    def division(journal: pl.DataFrame, tenant: Tenant) -> Sequence[pl.DataFrame]:  # noqa: ARG001
        size = pl.len().over("entry_number")
        refuse(journal, size > limit, f"one file takes at most {limit} rows and no entry in parts.")
        ends = (
            journal.group_by("entry_number", maintain_order=True).len().get_column("len").cum_sum()
        )
        parts: list[pl.DataFrame] = []
        start = 0
        while start < journal.height:
            fitting = int(ends.search_sorted(start + limit, side="right"))
            end = int(ends[fitting - 1])
            parts.append(journal.slice(start, end - start))
            start = end
        return parts

    return division


def by_entries(limit: int) -> Division:
    """Cut a journal into parts of at most `limit` entries."""

    def division(journal: pl.DataFrame, tenant: Tenant) -> Sequence[pl.DataFrame]:  # noqa: ARG001
        part = (pl.col("entry_number").rank("dense") - 1) // limit
        return by_run_of(part, journal)

    return division


def by_run_of(label: pl.Expr, journal: pl.DataFrame) -> Sequence[pl.DataFrame]:
    """Cut a journal wherever `label` changes from one entry to the next.

    The parts hold entries without a gap between, so a batch is still first to last number.
    """
    runs = journal.with_columns(run=label.rle_id()).partition_by("run", maintain_order=True)
    return [run.drop("run") for run in runs] or [journal]
