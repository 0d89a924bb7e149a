"""`billing retention`: how long numbers of usage are kept, and masking what is older."""

import click

from billing_pipeline.cli.people import by_and_note


@click.group()
def retention() -> None:
    """Mask numbers of usage that are no longer kept."""


@retention.command()
@click.option("--tenant", "tenant_key", help="Only the company this tenant belongs to.")
def preview(tenant_key: str | None) -> None:
    """Show what would be masked now, and what holds the rest. Nothing is written."""
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.retention import plans

    for plan in plans(Installation.from_environment(), utc_now(), tenant_key):
        for line in plan.lines():
            click.echo(line)


@retention.command()
@click.option("--tenant", "tenant_key", help="Only the company this tenant belongs to.")
@by_and_note
def mask(tenant_key: str | None, by: str, note: str) -> None:
    """Mask what the preview shows. It cannot be undone."""
    from billing_pipeline.orchestration import retention as masking
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation

    installation, now = Installation.from_environment(), utc_now()
    for plan in masking.plans(installation, now, tenant_key):
        if plan.family.before is not None:
            done = masking.mask(installation, plan, now, by=by, note=note)
            click.echo(f"{plan.family.root}: {done.words}")
