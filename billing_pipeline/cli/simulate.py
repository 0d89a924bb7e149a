"""`billing simulate`: prove a catalog before it goes live."""

import datetime as dt
import json
from pathlib import Path

import click


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--through", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Last bill day.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--documents/--no-documents", default=True, help="Render the documents, too.")
def simulate(directory: Path, through: dt.datetime, out: Path, *, documents: bool) -> None:
    """Run tenant folders with their usage/<feed>/* on a throw-away database and lake.

    Writes usage_events, suspense, rated_usage, charges, invoices, invoice_lines and
    journal_entries as sorted CSV, summary.json and the documents to OUT.
    """
    from billing_pipeline.orchestration import simulate as play
    from billing_pipeline.orchestration.throwaway import throwaway_installation

    with throwaway_installation() as installation:
        summary = play.simulate(installation, directory, through.date(), out)
        if documents:
            play.render_documents(installation, out / "documents")
    click.echo(json.dumps(summary, indent=2, sort_keys=True))
