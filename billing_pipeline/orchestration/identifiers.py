"""The inventory of identifiers: what is where, what is used by nobody, what no revision may do."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from billing_pipeline.books import catalog as stored
from billing_pipeline.books import manifest
from billing_pipeline.books.scope import Connection, installation_scope
from billing_pipeline.catalog.check_identifiers import IDENTIFIERS_FILE, overlaps
from billing_pipeline.customers.schema import IDENTIFIERS_OF_TENANTS
from billing_pipeline.intake.tenant_folder import TenantFolder
from billing_pipeline.lake import layout
from billing_pipeline.mediation.inventory import identifier_gaps
from billing_pipeline.mediation.schema import SUSPENSE, USAGE_EVENTS
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.vocabulary.problems import ROW, ConfigurationRefused, Problem

_FIRST_ROW = 2


def refuse_overlaps_between_tenants(
    connection: Connection, folders: Sequence[TenantFolder]
) -> None:
    """Have no identifier, prefix or range of a folder at odds with the company's other tenants.

    Raises: ConfigurationRefused with file and row of each.
    """
    problems: list[Problem] = []
    for folder in folders:
        others = stored.read_company_claims(connection, folder.tenant.key)
        if others.is_empty():
            continue
        mine = folder.service_identifiers.with_row_index(ROW, _FIRST_ROW).cast({ROW: pl.Int64})
        placed = others.with_columns(place=pl.format("tenant {}", "tenant_key"))
        where = f"{folder.tenant.key}/{IDENTIFIERS_FILE}"
        problems += [replace(problem, file=where) for problem in overlaps(mine, placed)]
    if problems:
        raise ConfigurationRefused(problems)


def read_inventory(installation: Installation, tenant_key: str | None) -> pl.DataFrame:
    """IDENTIFIERS_OF_TENANTS of one tenant or of all, by tenant and identifier."""
    with installation_scope(installation.engine) as connection:
        keys = [tenant_key] if tenant_key else stored.tenant_keys(connection)
        found = [
            stored.read_service_identifiers(connection, key).select(
                pl.lit(key).alias("tenant_key"), pl.all()
            )
            for key in keys
        ]
    return pl.concat([IDENTIFIERS_OF_TENANTS.empty(), *found])


def reconcile(
    installation: Installation, tenant_key: str | None, from_day: dt.date, until_day: dt.date
) -> pl.DataFrame:
    """IDENTIFIER_GAPS of the UTC days `[from_day, until_day)`, of one tenant or of all.

    What nobody owns is no tenant's: it is shown from every feed of the installation.
    """
    with installation_scope(installation.engine) as connection:
        every = stored.tenant_keys(connection)
        of_tenants = [tenant_key] if tenant_key else every
        usage, suspense = (
            [
                path
                for key in keys
                for path in manifest.partition_paths(connection, frame, key, from_day, until_day)[
                    "path"
                ].to_list()
            ]
            for frame, keys in (
                (layout.MEDIATED_USAGE, of_tenants),
                (layout.MEDIATE_SUSPENSE, every),
            )
        )
    span = tuple(
        dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC) for day in (from_day, until_day)
    )
    return identifier_gaps(
        read_inventory(installation, tenant_key),
        installation.lake.scan(usage, USAGE_EVENTS),
        installation.lake.scan(suspense, SUSPENSE),
        (span[0], span[1]),
    )
