"""`billing provisioning`: what other systems have to act on."""

import json

import click


@click.group()
def provisioning() -> None:
    """Changes of subscriptions that wait to be acted on."""


@provisioning.command("list")
@click.argument("tenant_key")
@click.option("--limit", default=100, show_default=True)
def list_events(tenant_key: str, limit: int) -> None:
    """Print the events of TENANT_KEY nobody has acknowledged, one JSON document a line."""
    from billing_pipeline.books.provisioning import waiting_events
    from billing_pipeline.books.scope import tenant_scope
    from billing_pipeline.orchestration.installation import Installation

    with tenant_scope(Installation.from_environment().engine, tenant_key) as connection:
        waiting = waiting_events(connection, tenant_key, limit=limit)
    for row in waiting.rows():
        event = dict(zip(waiting.columns, row, strict=True))
        click.echo(json.dumps(event, default=str))


@provisioning.command()
@click.argument("tenant_key")
@click.argument("event_numbers", type=int, nargs=-1, required=True)
@click.option("--by", envvar="USER", required=True, help="Which system or person acted.")
def ack(tenant_key: str, event_numbers: tuple[int, ...], by: str) -> None:
    """Acknowledge events of TENANT_KEY by their numbers: they are not listed again."""
    from billing_pipeline.books.provisioning import acknowledge
    from billing_pipeline.books.scope import tenant_scope
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation

    with tenant_scope(Installation.from_environment().engine, tenant_key) as connection:
        done = acknowledge(
            connection, tenant_key, event_numbers, acknowledged_by=by, acknowledged_at=utc_now()
        )
    click.echo(f"{done} events acknowledged, {len(event_numbers) - done} were not waiting")
