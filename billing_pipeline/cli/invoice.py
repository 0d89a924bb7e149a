"""`billing invoice`: what happens to a document after it was issued."""

import click


@click.group()
def invoice() -> None:
    """Issued documents."""


@invoice.command()
@click.argument("tenant_key")
@click.argument("number")
@click.option("--reason", required=True, help="Why it is taken back; kept for good.")
@click.option("--by", default="billing invoice void", help="Who takes it back, for the record.")
def void(tenant_key: str, number: str, reason: str, by: str) -> None:
    """Take back a document that was not delivered yet: a credit note in full."""
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.void import void_invoice

    credit_note = void_invoice(
        Installation.from_environment(),
        tenant_key,
        number,
        reason=reason,
        voided_by=by,
        now=utc_now(),
    )
    click.echo(f"{number} is void by credit note {credit_note}")


@invoice.command()
@click.argument("tenant_key")
@click.argument("number")
@click.option("--channel", default="email", show_default=True, help="email, post, portal ...")
@click.option("--by", default="billing invoice delivered", help="Who says so, for the record.")
def delivered(tenant_key: str, number: str, channel: str, by: str) -> None:
    """Note that the customer has a document: it can no longer be made void."""
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.void import note_delivery

    note_delivery(
        Installation.from_environment(),
        tenant_key,
        number,
        channel=channel,
        recorded_by=by,
        now=utc_now(),
    )
    click.echo(f"{number} was delivered by {channel}")
