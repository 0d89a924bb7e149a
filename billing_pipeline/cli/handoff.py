"""`billing handoff`: what accounting systems were given, and what they said."""

from pathlib import Path
from typing import Literal

import click

_tenant = click.argument("tenant_key")
_format = click.argument("format_name")
_batch = click.argument("batch_number", type=int)


@click.group()
def handoff() -> None:
    """Hand the journal over to accounting systems."""


@handoff.command("list")
@_tenant
def list_batches(tenant_key: str) -> None:
    """List a tenant's batches: customers or entries, digest, file, and the answer."""
    from billing_pipeline.orchestration.handoff import batches_of, customer_batches_of
    from billing_pipeline.orchestration.installation import Installation

    installation = Installation.from_environment()
    told, batches = (of(installation, tenant_key) for of in (customer_batches_of, batches_of))
    for row in told.rows(named=True):
        click.echo(
            f"{row['format_name']} customers {row['batch_number']}: {row['customers']} customers, "
            f"{str(row['sha256'])[:12]}\n      {row['path']}"
        )
    if told.is_empty() and batches.is_empty():
        click.echo("nothing was handed over yet")
    for row in batches.rows(named=True):
        click.echo(
            f"{row['format_name']} {row['batch_number']}: entries {row['first_entry']} to "
            f"{row['last_entry']}, {str(row['sha256'])[:12]}, {row['answer'] or 'no answer yet'}\n"
            f"      {row['path']}"
        )


@handoff.command()
@_tenant
def export(tenant_key: str) -> None:
    """Hand over customers and entries not handed over yet, in all formats of the tenant."""
    from billing_pipeline.orchestration.handoff import export_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.hand_over import raise_refused

    told, files, refused = export_now(Installation.from_environment(), tenant_key)
    for news in told:
        click.echo(
            f"{news.format_name} customer batch {news.batch_number}: {news.customers} customers, "
            f"{news.path}"
        )
    for file in files:
        click.echo(
            f"{file.format_name} batch {file.batch_number}: {file.entries} entries, {file.path}"
        )
    if not files and not refused:
        click.echo("every entry was handed over before")
    raise_refused(refused)


@handoff.command()
@_tenant
@_format
@click.option("--batch", "batch_number", type=int, help="A batch handed over, with its very bytes.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def customers(tenant_key: str, format_name: str, batch_number: int | None, out: Path) -> None:
    """Write all who pay the tenant to OUT, as the format's system takes them."""
    from billing_pipeline.orchestration import handoff as steps
    from billing_pipeline.orchestration.installation import Installation

    installation = Installation.from_environment()
    if batch_number is None:
        written = steps.write_customers(installation, tenant_key, format_name, out)
    else:
        written = [
            steps.tell_customers_again(installation, tenant_key, format_name, batch_number, out)
        ]
    for file in written:
        click.echo(str(file))


@handoff.command("re-export")
@_tenant
@_format
@_batch
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def export_again(tenant_key: str, format_name: str, batch_number: int, out: Path) -> None:
    """Write a batch once more, with the very bytes it was handed over with."""
    from billing_pipeline.orchestration import handoff as steps
    from billing_pipeline.orchestration.installation import Installation

    installation = Installation.from_environment()
    click.echo(str(steps.export_again(installation, tenant_key, format_name, batch_number, out)))


@handoff.command()
@_tenant
@_format
@_batch
@click.argument("state", type=click.Choice(["accepted", "refused"]))
@click.option("--by", "person", required=True, help="Who writes it down.")
@click.option("--reference", default="", help="What the other system calls the import.")
@click.option("--note", default="", help="What it said.")
def receipt(
    tenant_key: str,
    format_name: str,
    batch_number: int,
    state: Literal["accepted", "refused"],
    person: str,
    reference: str,
    note: str,
) -> None:
    """Keep what the accounting system said of a batch."""
    from billing_pipeline.orchestration.handoff import note_receipt
    from billing_pipeline.orchestration.installation import Installation

    note_receipt(
        Installation.from_environment(),
        tenant_key,
        format_name,
        batch_number,
        state=state,
        reference=reference,
        note=note,
        person=person,
    )
    click.echo(f"{format_name} batch {batch_number} was {state}")
