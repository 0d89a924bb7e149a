"""`billing catalog`: tenant folders to the books and back."""

from pathlib import Path

import click

_MOST_SHOWN = 20
_SIGNS = {"added": "+", "changed": "~", "removed": "-"}
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def catalog() -> None:
    """Tenants, products, plans, prices, accounts: configuration as files."""


@catalog.command()
@click.argument("directory", type=_DIRECTORY)
def plan(directory: Path) -> None:
    """Show what `apply` would change. DIRECTORY is a tenant folder or holds tenant folders."""
    from billing_pipeline.books.migrate import migrate
    from billing_pipeline.orchestration.configure import plan_folders, read_folders
    from billing_pipeline.orchestration.installation import Installation

    folders = read_folders(directory)
    installation = Installation.from_environment()
    migrate(installation.engine)
    for tenant_key, revision in plan_folders(installation, folders).items():
        _echo(tenant_key, revision.changes.rows())


@catalog.command()
@click.argument("directory", type=_DIRECTORY)
@click.option("--by", default="billing catalog apply", help="Who applies, for the record.")
def apply(directory: Path, by: str) -> None:
    """Apply a tenant folder, or all folders in DIRECTORY: all of it or nothing."""
    from billing_pipeline.books.migrate import migrate
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.configure import apply_folders, read_folders
    from billing_pipeline.orchestration.installation import Installation

    folders = read_folders(directory)
    installation = Installation.from_environment()
    migrate(installation.engine)
    applied = apply_folders(installation, folders, applied_at=utc_now(), applied_by=by)
    for tenant_key, revision in applied.items():
        _echo(tenant_key, revision.changes.rows())


@catalog.command()
@click.argument("tenant_key")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def export(tenant_key: str, directory: Path) -> None:
    """Write a tenant's configuration, as last applied, to DIRECTORY as files."""
    from billing_pipeline.orchestration.configure import export_folder
    from billing_pipeline.orchestration.installation import Installation

    export_folder(Installation.from_environment(), tenant_key, directory)
    click.echo(f"wrote {directory}")


@catalog.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def schema(directory: Path) -> None:
    """Write the JSON Schema of every configuration file to DIRECTORY, for editors."""
    import json

    from billing_pipeline.intake.json_schemas import folder_schemas

    directory.mkdir(parents=True, exist_ok=True)
    for name, document in folder_schemas().items():
        (directory / f"{name}.schema.json").write_text(json.dumps(document, indent=2) + "\n")
        click.echo(f"wrote {directory / name}.schema.json")


def _echo(tenant_key: str, changes: list[tuple[str, str, str]]) -> None:
    """A tenant's changes for people: a line each, the first of many."""
    click.echo(f"{tenant_key}: {len(changes)} changes" if changes else f"{tenant_key}: no change")
    for kind, key, change in changes[:_MOST_SHOWN]:
        click.echo(f"  {_SIGNS[change]} {kind} {key}")
    if len(changes) > _MOST_SHOWN:
        click.echo(f"    ... and {len(changes) - _MOST_SHOWN} more")
