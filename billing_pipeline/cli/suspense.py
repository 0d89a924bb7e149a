"""`billing suspense`: what waits, and why."""

import click


@click.group()
def suspense() -> None:
    """Records a stage could not take on."""


@suspense.command("list")
@click.option("--tenant", "tenant_key", default=None, help="Only what this tenant owns.")
def list_reasons(tenant_key: str | None) -> None:
    """Count what is in suspense by feed, stage and reason, with an example of each."""
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.suspense import read_suspense, suspense_by_reason

    waiting = read_suspense(Installation.from_environment(), tenant_key)
    if waiting.is_empty():
        click.echo("nothing is in suspense")
        return
    for row in suspense_by_reason(waiting).rows():
        feed, stage, reason, records, first, example = row
        click.echo(f"{records:>7}  {stage:<8} {reason:<22} {feed}  since {first}  e.g. {example}")


@suspense.command()
@click.option("--reason", default=None)
@click.option("--limit", default=20, show_default=True)
def show(reason: str | None, limit: int) -> None:
    """Show records in suspense with their raw text, file and record number."""
    import polars as pl

    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.suspense import read_suspense

    waiting = read_suspense(Installation.from_environment(), None)
    chosen = waiting.filter(pl.col("reason") == reason) if reason else waiting
    columns = ("file_key", "record_number", "stage", "reason", "detail", "raw")
    for file_key, number, stage, why, detail, raw in chosen.head(limit).select(columns).rows():
        click.echo(f"{file_key}:{number}  {stage}/{why}  {detail or ''}\n    {raw or ''}")


@suspense.command()
@click.option("--reason", default=None, help="Only records with this reason.")
def recycle(reason: str | None) -> None:
    """Compute the days of suspended records again, after mending catalog or customers."""
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.suspense import recycle as recycle_suspense

    recycled = recycle_suspense(Installation.from_environment(), reason, utc_now())
    click.echo(f"{recycled.before} records were in suspense, {recycled.after} still are")
