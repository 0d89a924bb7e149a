"""`billing template`: look at a tenant's documents before a customer does."""

import time
from pathlib import Path
from typing import Literal

import click

DocumentKind = Literal["invoice", "credit_note", "receipt"]

_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
_SECONDS_BETWEEN_LOOKS = 0.5


@click.group()
def template() -> None:
    """Document templates of a tenant folder."""


@template.command()
@click.argument("tenant_dir", type=_DIRECTORY)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PDF to write; <tenant>-preview.pdf in the current folder if not given.",
)
@click.option(
    "--kind",
    type=click.Choice(["invoice", "credit_note", "receipt"]),
    default="invoice",
    show_default=True,
    help="Kind of document.",
)
@click.option("--events", default=120, show_default=True, help="Usage events on the sample.")
@click.option(
    "--account-type", default="", help="Type of account it goes to, for types with templates."
)
@click.option("--watch", is_flag=True, help="Render again whenever a file of the folder changes.")
def preview(
    *,
    tenant_dir: Path,
    out: Path | None,
    kind: DocumentKind,
    events: int,
    account_type: str,
    watch: bool,
) -> None:
    """Render sample data with the templates and tenant.yaml of TENANT_DIR; store nothing."""
    target = out or Path(f"{tenant_dir.name}-preview.pdf")
    seen = _changed(tenant_dir)
    _render(tenant_dir, target, kind, events, account_type)
    while watch:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        now = _changed(tenant_dir)
        if now != seen:
            seen = now
            _render(tenant_dir, target, kind, events, account_type)


def _render(
    tenant_dir: Path, target: Path, kind: DocumentKind, events: int, account_type: str
) -> None:
    """Render, or say what is wrong: the next change may mend it."""
    from billing_pipeline.orchestration.brand_templates import preview_folder
    from billing_pipeline.vocabulary.problems import ConfigurationRefused

    try:
        content = preview_folder(tenant_dir, kind, events, account_type)
    except ConfigurationRefused as refused:
        click.secho(str(refused), fg="red", err=True)
        return
    target.write_bytes(content)
    click.echo(f"wrote {target}")


def _changed(tenant_dir: Path) -> list[tuple[str, float]]:
    files = [tenant_dir / "tenant.yaml", *(tenant_dir / "templates").rglob("*")]
    return sorted((str(file), file.stat().st_mtime) for file in files if file.is_file())
