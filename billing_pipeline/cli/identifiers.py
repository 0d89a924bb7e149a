"""`billing identifiers`: numbers, meters, addresses: who has them, and who uses them."""

import datetime as dt
from pathlib import Path

import click

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def identifiers() -> None:
    """Service identifiers: the inventory, and what is used without an owner."""


@identifiers.command("list")
@click.option("--tenant", "tenant_key", default=None, help="Only this tenant's.")
@click.option("--status", default=None, help="in_stock, assigned, ported_out or quarantined.")
@click.option("--limit", default=50, show_default=True)
def list_identifiers(tenant_key: str | None, status: str | None, limit: int) -> None:
    """List identifiers with state, owner and span (instants in UTC)."""
    import polars as pl

    from billing_pipeline.orchestration.identifiers import read_inventory
    from billing_pipeline.orchestration.installation import Installation

    found = read_inventory(Installation.from_environment(), tenant_key)
    chosen = found.filter(pl.col("status") == status) if status else found
    columns = (
        "tenant_key", "identifier", "match", "status", "subscription_key", "valid_from",
        "valid_until",
    )  # fmt: skip
    for tenant, name, match, state, owner, since, until in (
        chosen.select(columns).head(limit).rows()
    ):
        ends = until.isoformat() if until else "open"
        held = f"{state:<11} {owner or '':<12} {since.isoformat()} - {ends}"
        click.echo(f"{tenant}  {name:<28} {match:<6} {held}")
    click.echo(f"{chosen.height} identifiers, {min(limit, chosen.height)} shown")


@identifiers.command()
@click.option("--from", "from_day", type=_DAY, required=True, help="First UTC day.")
@click.option("--until", "until_day", type=_DAY, required=True, help="Day after the last.")
@click.option("--tenant", "tenant_key", default=None, help="Only this tenant's identifiers.")
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), default=None)
def reconcile(
    from_day: dt.datetime, until_day: dt.datetime, tenant_key: str | None, csv_file: Path | None
) -> None:
    """Show identifiers used but not assigned, and assigned but not used."""
    from billing_pipeline.orchestration.identifiers import reconcile as reconcile_identifiers
    from billing_pipeline.orchestration.installation import Installation

    gaps = reconcile_identifiers(
        Installation.from_environment(), tenant_key, from_day.date(), until_day.date()
    )
    if csv_file is not None:
        gaps.write_csv(csv_file)
    for finding, tenant, name, status, owner, records, *_ in gaps.rows():
        whose = " ".join(part for part in (tenant, owner) if part)
        click.echo(
            f"{finding:<18} {name:<28} {status or 'not in inventory':<17} {records:>8}  {whose}"
        )
    click.echo(f"{gaps.height} identifiers whose use and inventory do not agree")
