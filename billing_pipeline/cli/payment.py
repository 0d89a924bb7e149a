"""`billing payment`: money received, debts given up, and receipts."""

from pathlib import Path

import click

_tenant = click.argument("tenant_key")


@click.group()
def payment() -> None:
    """Money received and debts given up."""


@payment.command()
@_tenant
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", "person", required=True, help="Who records it; kept for the auditor.")
@click.option("--receipts", is_flag=True, help="Also make the receipt of every payment.")
def record(tenant_key: str, file: Path, person: str, receipts: bool) -> None:  # noqa: FBT001 - as click passes it
    """Record payments.csv: settle what is due first, book it; a second time changes nothing."""
    from billing_pipeline.intake.payments import read_payments
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.facts import read_facts
    from billing_pipeline.orchestration.steps.receipt import keep_receipts
    from billing_pipeline.orchestration.steps.receive import record_payments

    installation = Installation.from_environment()
    facts = read_facts(installation, tenant_key)
    handed_in = read_payments(file, facts.accounts)
    received = record_payments(installation, facts, handed_in, recorded_by=person, now=utc_now())
    click.echo(f"{received.new} recorded, {received.known} known before")
    for key, number, _, amount in received.settled.rows():
        click.echo(f"{key} settles {amount} minor units of {number}")
    if receipts:
        keys = handed_in.filter(handed_in["kind"] == "payment")["payment_key"].to_list()
        for path in keep_receipts(installation, facts, keys).values():
            click.echo(path)


@payment.command("list")
@_tenant
@click.option("--account", "account_key", help="Of one account.")
def list_payments(tenant_key: str, account_key: str | None) -> None:
    """List what was received and given up."""
    from billing_pipeline.books import payments
    from billing_pipeline.books.scope import tenant_scope
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.vocabulary.money import from_minor_units

    installation = Installation.from_environment()
    with tenant_scope(installation.engine, tenant_key) as connection:
        known = payments.read_payments(connection, tenant_key, account_key=account_key)
    columns = ["received_on", "kind", "payment_key", "account_key", "amount_minor", "currency"]
    for day, kind, key, account, amount, currency in known.select(columns).rows():
        sum_ = from_minor_units(amount, currency)
        click.echo(f"{day}  {kind:<9}  {key}  {account}  {sum_} {currency}")


@payment.command()
@_tenant
@click.argument("payment_key")
def receipt(tenant_key: str, payment_key: str) -> None:
    """Make the receipt of a payment, or find the one that was made."""
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.facts import read_facts
    from billing_pipeline.orchestration.steps.receipt import keep_receipts

    installation = Installation.from_environment()
    facts = read_facts(installation, tenant_key)
    click.echo(keep_receipts(installation, facts, [payment_key])[payment_key])
