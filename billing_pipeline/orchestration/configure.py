"""Tenant folders to the books: what would change, and the change itself."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from billing_pipeline.books import catalog as stored
from billing_pipeline.books.revisions import (
    RevisionPlan,
    TenantRows,
    apply_revision,
    plan_revision,
)
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.books.staleness import mark_changed_days_stale
from billing_pipeline.catalog.entries import (
    catalog_entries,
    catalog_from_entries,
    feeds_from_entries,
    template_files,
)
from billing_pipeline.customers.tenant_document import tenant_document
from billing_pipeline.documents.template_sets import write_overrides
from billing_pipeline.intake.tenant_folder import TenantFolder, read_tenant_folder
from billing_pipeline.intake.write_folder import write_tenant_folder
from billing_pipeline.orchestration.brand_templates import FOLDER as TEMPLATES
from billing_pipeline.orchestration.brand_templates import with_templates
from billing_pipeline.orchestration.identifiers import refuse_overlaps_between_tenants
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import read_facts, read_tenant

TENANT_FILE = "tenant.yaml"


def tenant_folders(directory: Path) -> list[Path]:
    """The tenant folders in `directory`: itself, or those directly below it, by name.

    A folder `<tenant>@<date>` belongs to a simulation and is not one of them.

    Raises: FileNotFoundError with what was looked for.
    """
    if (directory / TENANT_FILE).exists():
        return [directory]
    found = sorted(
        path.parent for path in directory.glob(f"*/{TENANT_FILE}") if "@" not in path.parent.name
    )
    if not found:
        raise FileNotFoundError(f"no {TENANT_FILE} in {directory} or in a folder directly below it")
    return found


def read_folders(directory: Path) -> list[TenantFolder]:
    """Read every tenant folder, parents before children.

    Raises: ConfigurationRefused with every mistake of a folder.
    """
    folders = [read_folder(path) for path in tenant_folders(directory)]
    return _parents_first(folders)


def read_folder(path: Path) -> TenantFolder:
    """Read one tenant folder with its templates.

    Raises: ConfigurationRefused with every mistake.
    """
    return with_templates(read_tenant_folder(path), path)


def plan_folders(
    installation: Installation, folders: Sequence[TenantFolder]
) -> dict[str, RevisionPlan]:
    """What applying each folder would change. Changes nothing."""
    with installation_scope(installation.engine) as connection:
        return {
            folder.tenant.key: plan_revision(connection, tenant_rows(folder)) for folder in folders
        }


def apply_folders(
    installation: Installation,
    folders: Sequence[TenantFolder],
    *,
    applied_at: dt.datetime,
    applied_by: str,
) -> dict[str, RevisionPlan]:
    """Apply all folders in one transaction: every one of them, or none.

    Past days whose owners or prices are now others become stale and are computed again.
    Raises: ConfigurationRefused if prefixes or ranges are at odds with another tenant's.
    """
    with installation_scope(installation.engine) as connection:
        applied = {
            folder.tenant.key: apply_revision(
                connection, tenant_rows(folder), applied_at=applied_at, applied_by=applied_by
            )
            for folder in folders
        }
        refuse_overlaps_between_tenants(connection, folders)
        for tenant_key, revision in applied.items():
            if not revision.is_empty:
                mark_changed_days_stale(connection, tenant_key, applied_at)
        return applied


def export_folder(installation: Installation, tenant_key: str, directory: Path) -> None:
    """Write a tenant's configuration as last applied to an empty directory."""
    facts = read_facts(installation, tenant_key)
    with tenant_scope(installation.engine, tenant_key) as connection:
        entries = stored.read_entries(connection, tenant_key)
        feeds, templates = feeds_from_entries(entries), template_files(entries)
        identifiers = stored.read_service_identifiers(connection, tenant_key)
        cards = stored.read_rate_card_prices(connection, tenant_key)
    tables = {
        "accounts": facts.accounts,
        "subscriptions": facts.subscriptions,
        "service_identifiers": identifiers,
        "subscription_changes": facts.terms.changes,
        "subscription_discounts": facts.terms.discounts,
        "agreed_prices": facts.terms.agreed_prices,
        "rate_card_prices": cards,
    }
    own = catalog_from_entries(entries)
    tenant = read_tenant(installation, tenant_key)
    write_tenant_folder(directory, tenant, own, feeds, tables)
    write_overrides(directory / TEMPLATES, templates)


def tenant_rows(folder: TenantFolder) -> TenantRows:
    """A folder as the rows the books keep."""
    return TenantRows(
        tenant_document=tenant_document(folder.tenant),
        tenant_key=folder.tenant.key,
        parent_key=folder.tenant.parent,
        entries=catalog_entries(folder.catalog, folder.feeds, folder.templates),
        accounts=folder.accounts,
        subscriptions=folder.subscriptions,
        service_identifiers=folder.service_identifiers,
        rate_card_prices=folder.rate_card_prices,
        subscription_changes=folder.terms.changes,
        subscription_discounts=folder.terms.discounts,
        agreed_prices=folder.terms.agreed_prices,
    )


def _parents_first(folders: list[TenantFolder]) -> list[TenantFolder]:
    parents = {folder.tenant.key: folder.tenant.parent for folder in folders}

    def depth(key: str) -> int:
        parent = parents.get(key)
        return 0 if parent is None else 1 + depth(parent)

    return sorted(folders, key=lambda folder: (depth(folder.tenant.key), folder.tenant.key))
