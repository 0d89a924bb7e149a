"""`billing trace`: from an invoice line to the raw records behind it."""

import click


@click.command()
@click.argument("invoice_number")
@click.argument("line_number", type=int, required=False)
@click.option("--limit", default=20, show_default=True, help="Rated events shown per line.")
def trace(invoice_number: str, line_number: int | None, limit: int) -> None:
    """Show the charges, rated events, prices, files and record numbers behind INVOICE_NUMBER."""
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.trace import trace_invoice

    for line in trace_invoice(
        Installation.from_environment(), invoice_number, line_number, limit=limit
    ):
        click.echo(line)
