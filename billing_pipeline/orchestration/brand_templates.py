"""A tenant folder's templates: read with it, and refused with it when one of them fails."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from billing_pipeline.documents.template_sets import (
    ACCOUNT_TYPES,
    TemplateRefused,
    TemplateSet,
    default_template_set,
    read_overrides,
)
from billing_pipeline.intake.tenant_folder import TenantFolder, read_tenant
from billing_pipeline.vocabulary.problems import ConfigurationRefused, Problem

FOLDER = "templates"


def with_templates(folder: TenantFolder, directory: Path) -> TenantFolder:
    """The folder with the files of its `templates/`, tried on sample documents.

    Raises: ConfigurationRefused with every template that fails.
    """
    overrides = _overrides(directory)
    if not overrides:
        return folder
    # Rendering takes seconds to import, and most folders bring no templates.
    from billing_pipeline.documents.preview import check_templates  # noqa: PLC0415

    templates = default_template_set().with_overrides(overrides)
    problems = [
        *_unknown_types(folder, templates),
        *(
            problem
            for account_type in ("", *templates.account_types)
            for problem in check_templates(folder.tenant, templates.for_account_type(account_type))
        ),
    ]
    if problems:
        raise ConfigurationRefused(problems)
    return replace(folder, templates=overrides)


def _unknown_types(folder: TenantFolder, templates: TemplateSet) -> list[Problem]:
    """Types with templates that no account can have."""
    known = {one.key for one in folder.tenant.account_types} | {
        *folder.accounts.get_column("account_type")
    }
    return [
        Problem(
            f"{FOLDER}/{ACCOUNT_TYPES}{account_type}",
            None,
            None,
            "no account is of this type; correct the name of the folder or add it to account_types",
        )
        for account_type in templates.account_types
        if account_type not in known
    ]


def preview_folder(
    directory: Path,
    kind: Literal["invoice", "credit_note", "receipt"],
    events: int,
    account_type: str = "",
) -> bytes:
    """A sample document as the folder's brand would send it. Only templates and tenant are read.

    `account_type` is the type of account it goes to; the common templates are shown without.
    Raises: ConfigurationRefused with every mistake of both, and for a type without templates.
    """
    from billing_pipeline.documents.preview import check_templates, preview_pdf  # noqa: PLC0415

    tenant = read_tenant(directory)
    whole = default_template_set().with_overrides(_overrides(directory))
    if account_type and account_type not in whole.account_types:
        place = f"{FOLDER}/{ACCOUNT_TYPES}{account_type}"
        there_are = ", ".join(whole.account_types) or "none"
        message = f"this type has no templates of its own; types that have: {there_are}"
        raise ConfigurationRefused([Problem(place, None, None, message)])
    templates = whole.for_account_type(account_type)
    problems = check_templates(tenant, templates)
    if problems:
        raise ConfigurationRefused(problems)
    return preview_pdf(tenant, templates, kind=kind, events=events)


def _overrides(directory: Path) -> dict[str, str]:
    try:
        return read_overrides(directory / FOLDER)
    except TemplateRefused as refusal:
        raise ConfigurationRefused([Problem(FOLDER, None, None, str(refusal))]) from None
