"""Everything an installation holds as sorted CSV files, and the figures of its summary."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from billing_pipeline.books import catalog, charges, invoices, journal, manifest
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.mediation.schema import SUSPENSE, USAGE_EVENTS
from billing_pipeline.orchestration.days import EVER
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.frames import FrameSchema
from billing_pipeline.vocabulary.money import from_minor_units


class Extract(NamedTuple):
    """One file: its name and its rows of all tenants."""

    name: str
    rows: pl.DataFrame


def write_extracts(installation: Installation, out: Path) -> dict[str, object]:
    """Write every extract to `out` and return what they come to.

    Rows are sorted by all their columns, so equal books give equal bytes.
    """
    out.mkdir(parents=True, exist_ok=True)
    extracts = list(read_extracts(installation))
    for extract in extracts:
        rows = extract.rows.sort(extract.rows.columns)
        rows.write_csv(out / f"{extract.name}.csv")
    return _summary({extract.name: extract.rows for extract in extracts})


def read_extracts(installation: Installation) -> Iterator[Extract]:
    """Read what the lake and the books hold, all tenants together."""
    with installation_scope(installation.engine) as connection:
        tenants = catalog.tenant_keys(connection)
    yield Extract(
        "usage_events", _from_lake(installation, [layout.MEDIATED_USAGE], tenants, USAGE_EVENTS)
    )
    suspense = [layout.DECODE_SUSPENSE, layout.MEDIATE_SUSPENSE, layout.RATE_SUSPENSE]
    yield Extract("suspense", _from_lake(installation, suspense, tenants, SUSPENSE))
    rated = [
        _from_lake(installation, [layout.RATED_USAGE], [tenant_key], RATED_USAGE).select(
            pl.lit(tenant_key).alias("tenant_key"), pl.all()
        )
        for tenant_key in tenants
    ]
    yield Extract("rated_usage", pl.concat(rated))
    yield from _from_books(installation, tenants)


def _from_lake(
    installation: Installation, frames: list[str], tenants: list[str], schema: FrameSchema
) -> pl.DataFrame:
    paths: list[str] = []
    with installation_scope(installation.engine) as connection:
        for frame in frames:
            for tenant_key in tenants:
                current = manifest.partition_paths(connection, frame, tenant_key, *EVER)
                paths += current["path"].to_list()
    return installation.lake.scan(paths, schema).collect()


def _from_books(installation: Installation, tenants: list[str]) -> Iterator[Extract]:
    found: dict[str, list[pl.DataFrame]] = {}
    for tenant_key in tenants:
        with tenant_scope(installation.engine, tenant_key) as connection:
            lines = invoices.read_lines(connection, tenant_key)
            own = {
                "charges": charges.posted_charges(connection, tenant_key, lines["account_key"]),
                "invoices": invoices.read_invoices(connection, tenant_key),
                "invoice_lines": lines,
                "journal_entries": journal.read_journal(connection, tenant_key),
            }
        for name, rows in own.items():
            keyed = rows.select(
                pl.lit(tenant_key).alias("tenant_key"), pl.all().exclude("tenant_key")
            )
            found.setdefault(name, []).append(keyed)
    for name, frames in found.items():
        yield Extract(name, pl.concat(frames))


def _summary(rows: dict[str, pl.DataFrame]) -> dict[str, object]:
    totals = (
        rows["invoices"]
        .group_by("currency")
        .agg(pl.col("total_minor").sum())
        .sort("currency")
        .rows()
    )
    return {
        **{name: frame.height for name, frame in rows.items()},
        "invoiced": {
            currency: str(from_minor_units(total, currency)) for currency, total in totals
        },
        "journal_sum_minor": int(rows["journal_entries"]["amount_minor"].sum()),
    }
