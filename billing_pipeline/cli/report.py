"""`billing report`: a tenant's month on paper."""

import datetime as dt
from pathlib import Path

import click

from billing_pipeline.cli.period import month_of


@click.command()
@click.argument("tenant_key")
@click.option("--period", "month", required=True, callback=month_of, help="Month, e.g. 2026-10.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def report(tenant_key: str, month: dt.date, out: Path) -> None:
    """Print revenue, balances, tax, receivables, margins, usage and movers of a month to OUT."""
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.facts import read_facts
    from billing_pipeline.orchestration.steps.report import write_report

    installation = Installation.from_environment()
    facts = read_facts(installation, tenant_key)
    for path in write_report(installation, facts, month, out, utc_now()):
        click.echo(str(path))
