"""A tenant folder's templates: read with it, and refused with it when one of them fails."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from billing_pipeline.documents.template_sets import (
    TemplateRefused,
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

    problems = check_templates(folder.tenant, default_template_set().with_overrides(overrides))
    if problems:
        raise ConfigurationRefused(problems)
    return replace(folder, templates=overrides)


def preview_folder(
    directory: Path, kind: Literal["invoice", "credit_note", "receipt"], events: int
) -> bytes:
    """A sample document as the folder's brand would send it. Only templates and tenant are read.

    Raises: ConfigurationRefused with every mistake of both.
    """
    from billing_pipeline.documents.preview import check_templates, preview_pdf  # noqa: PLC0415

    tenant = read_tenant(directory)
    templates = default_template_set().with_overrides(_overrides(directory))
    problems = check_templates(tenant, templates)
    if problems:
        raise ConfigurationRefused(problems)
    return preview_pdf(tenant, templates, kind=kind, events=events)


def _overrides(directory: Path) -> dict[str, str]:
    try:
        return read_overrides(directory / FOLDER)
    except TemplateRefused as refusal:
        raise ConfigurationRefused([Problem(FOLDER, None, None, str(refusal))]) from None
